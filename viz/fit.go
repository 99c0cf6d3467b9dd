package viz

import (
	"image"
	"image/color"

	"golang.org/x/image/draw"
)

// Fit returns img made to fit a box of w×h pixels, its proportions kept, and how
// many pixels of the result one of img has along a side. A small picture is
// enlarged by a whole number, each pixel to a square, so that pixels stay
// visible as such; a large one is reduced smoothly. No side gets below 1.
func Fit(img image.Image, w, h int) (*image.RGBA, float64) {
	size := img.Bounds().Size()
	if size.X < 1 || size.Y < 1 || w < 1 || h < 1 {
		return image.NewRGBA(image.Rect(0, 0, 1, 1)), 1
	}
	if size.X <= w && size.Y <= h {
		k := min(w/size.X, h/size.Y)
		return Enlarge(img, k), float64(k)
	}
	f := min(float64(w)/float64(size.X), float64(h)/float64(size.Y))
	out := image.NewRGBA(image.Rect(0, 0, max(int(float64(size.X)*f+.5), 1), max(int(float64(size.Y)*f+.5), 1)))
	draw.CatmullRom.Scale(out, out.Bounds(), img, img.Bounds(), draw.Src, nil)
	return out, f
}

// Enlarge returns img with each pixel made a square of k×k.
func Enlarge(img image.Image, k int) *image.RGBA {
	b := img.Bounds()
	out := image.NewRGBA(image.Rect(0, 0, b.Dx()*max(k, 1), b.Dy()*max(k, 1)))
	draw.NearestNeighbor.Scale(out, out.Bounds(), img, b, draw.Src, nil)
	return out
}

// Beside joins pictures from left to right, their tops aligned, with white gaps.
func Beside(gap int, imgs ...image.Image) *image.RGBA {
	return join(gap, imgs, func(p image.Point) (along, across int) { return p.X, p.Y }, image.Pt)
}

// Stack joins pictures from top to bottom, their left sides aligned, with white
// gaps.
func Stack(gap int, imgs ...image.Image) *image.RGBA {
	return join(gap, imgs, func(p image.Point) (along, across int) { return p.Y, p.X },
		func(along, across int) image.Point { return image.Pt(across, along) })
}

func join(gap int, imgs []image.Image, split func(image.Point) (int, int), point func(int, int) image.Point) *image.RGBA {
	along, across := 0, 0
	for i, img := range imgs {
		a, c := split(img.Bounds().Size())
		if i > 0 {
			along += gap
		}
		along, across = along+a, max(across, c)
	}
	out := image.NewRGBA(image.Rectangle{Max: point(along, across)})
	draw.Draw(out, out.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	at := 0
	for _, img := range imgs {
		b := img.Bounds()
		draw.Draw(out, image.Rectangle{Max: b.Size()}.Add(point(at, 0)), img, b.Min, draw.Over)
		a, _ := split(b.Size())
		at += a + gap
	}
	return out
}
