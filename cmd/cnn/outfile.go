package main

import (
	"fmt"
	"image"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/convgl/convgl/internal/cli"
	"github.com/convgl/convgl/tensor"
)

// pictureOut is -out of the commands that draw: a PNG file, or a folder for several.
type pictureOut struct {
	path string
	used map[string]bool
}

// check makes the folder. Several pictures need one.
func (o *pictureOut) check(several bool) error {
	switch {
	case o.path == "":
		return cli.Usagef("-out is missing: want a .png file or a folder")
	case o.file() && several:
		return cli.Usagef("-out %s: want a folder for several pictures", o.path)
	case o.file():
		return nil
	case otherPictures[strings.ToLower(filepath.Ext(o.path))] && !isFolder(o.path):
		return cli.Usagef("-out %s: pictures are written as .png: want a .png file or a folder", o.path)
	}
	o.used = map[string]bool{}
	if err := os.MkdirAll(o.path, 0o777); err != nil {
		return fmt.Errorf("-out: %w", err)
	}
	return nil
}

// otherPictures are names that somebody who wants a file gives, not a folder.
var otherPictures = map[string]bool{".jpg": true, ".jpeg": true, ".gif": true, ".bmp": true, ".webp": true, ".tif": true, ".tiff": true, ".svg": true, ".pdf": true}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func (o *pictureOut) file() bool { return strings.EqualFold(filepath.Ext(o.path), ".png") }

// save writes a picture, in a folder under a name of these parts, and prints where.
func (o *pictureOut) save(out io.Writer, img image.Image, what string, parts ...string) error {
	path := o.path
	if !o.file() {
		var kept []string // nothing is left of "…"
		for _, p := range parts {
			if p = fileName(p); p != "" {
				kept = append(kept, p)
			}
		}
		base := strings.Join(kept, "-")
		if base == "" {
			base = "picture"
		}
		name := base
		for n := 2; o.used[strings.ToLower(name)]; n++ {
			name = fmt.Sprintf("%s-%d", base, n)
		}
		o.used[strings.ToLower(name)] = true
		path = filepath.Join(o.path, name+".png")
	}
	if err := tensor.SavePNG(path, img); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "%s: %s, %d x %d pixels\n", path, what, img.Bounds().Dx(), img.Bounds().Dy())
	return err
}
