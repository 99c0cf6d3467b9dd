package preprocess

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/convgl/convgl/internal/regularfile"
)

// maxFile bounds a description; a hundredth of it is much.
const maxFile = 64 << 10

// Path returns where the description of a model stands: beside it, with .json for
// its extension.
func Path(model string) string {
	return strings.TrimSuffix(model, filepath.Ext(model)) + ".json"
}

// Load changes the description by the JSON file at path and reports whether there is such
// a file. Only a regular file is read.
func (c *Config) Load(path string) (bool, error) {
	f, err := regularfile.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("preprocess: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = fmt.Errorf("more than %d bytes", maxFile)
	}
	if err == nil && len(bytes.TrimSpace(data)) == 0 {
		err = errors.New("the file is empty")
	}
	if err == nil {
		err = c.merge(data)
	}
	if err != nil {
		return false, fmt.Errorf("preprocess: %s: %w", path, err)
	}
	return true, nil
}

// Merge changes the description by a JSON object. Keys that it lacks stay; an unknown key, one
// that is there twice and a value of the wrong form are errors that name the key, and leave
// the description as it was.
func (c *Config) Merge(data []byte) error {
	if err := c.merge(data); err != nil {
		return fmt.Errorf("preprocess: %w", err)
	}
	return nil
}

func (c *Config) merge(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	t, err := d.Token()
	if err != nil {
		return truncated(err)
	}
	if t != json.Delim('{') {
		return errors.New("want a JSON object")
	}
	next := *c
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return truncated(err)
		}
		name, _ := t.(string) // of an object's key
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return fmt.Errorf("%s: %w", name, truncated(err))
		}
		k, err := findKey(name)
		if err != nil {
			return err
		}
		if seen[name] {
			return fmt.Errorf("%s: the key is there twice", name)
		}
		seen[name] = true
		if err := k.set(&next, raw); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if _, err := d.Token(); err != nil {
		return truncated(err)
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("more after the JSON object")
	}
	*c = next
	return nil
}

// truncated names the end of the data as a fault.
func truncated(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
