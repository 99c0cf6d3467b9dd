package models

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/convgl/convgl/backend"
	"github.com/convgl/convgl/cnn"
	"github.com/convgl/convgl/graph"
)

// UNet2D labels the pixels of a picture. It halves the picture depth times and
// doubles it as often by transposed convolutions; on the way up each level joins
// what the level had on the way down. Every level has two 3×3 convolutions with
// BatchNorm and ReLU. Padding keeps the size, where the paper's network crops.
//
// Input: x [N,3,H,W], H and W multiples of 2^depth, Dynamic by default. Output: logits
// [N,2,H,W]. Parameters: 31,037,698, named as in the PyTorch implementation
// milesial/Pytorch-UNet with bilinear=False, whose convolutions before a BatchNorm
// have no bias: inc, down1, …, up1, …, outc. Options: WithClasses, WithInput, WithBase
// (64), WithDepth (4).
//
// Source: Ronneberger, Fischer and Brox, U-Net: Convolutional Networks for Biomedical
// Image Segmentation, 2015, arXiv:1505.04597.
func UNet2D(opts ...Option) (*cnn.Net, error) {
	c, err := configure("UNet2D", config{classes: 2, base: 64, depth: 4, input: []int{3, cnn.Dynamic, cnn.Dynamic}}, opts)
	if err != nil {
		return nil, err
	}
	u := unet{
		conv: func(filters int) cnn.Layer { return cnn.Conv2D(filters, 3, cnn.Padding(1), cnn.NoBias()) },
		pool: cnn.MaxPool2D(2),
		up:   func(filters int) cnn.Layer { return cnn.ConvTranspose2D(filters, 2, cnn.Stride(2)) },
		out:  cnn.Conv2D(c.classes, 1),
		widths: func(level int) widths {
			n := c.base << level
			return widths{n, n, n}
		},
	}
	return u.net("UNet2D", "unet2d", c)
}

// UNet3D labels the voxels of a volume: [UNet2D] with three spatial dims, and the
// channels doubled before a level is pooled and not after.
//
// Input: x [N,3,D,H,W], all multiples of 2^depth, Dynamic by default. Output: logits
// [N,3,D,H,W]. Parameters: 19,074,627; the paper counts 19,069,955 without the scales
// and biases of the BatchNorms. They are named as those of UNet2D. Options:
// WithClasses, WithInput, WithBase (32), WithDepth (3).
//
// Source: Çiçek, Abdulkadir, Lienkamp, Brox and Ronneberger, 3D U-Net: Learning Dense
// Volumetric Segmentation from Sparse Annotation, 2016, arXiv:1606.06650.
func UNet3D(opts ...Option) (*cnn.Net, error) {
	c, err := configure("UNet3D", config{classes: 3, base: 32, depth: 3, input: []int{3, cnn.Dynamic, cnn.Dynamic, cnn.Dynamic}}, opts)
	if err != nil {
		return nil, err
	}
	u := unet{
		conv: func(filters int) cnn.Layer { return cnn.Conv3D(filters, 3, cnn.Padding(1)) },
		pool: cnn.MaxPool3D(2),
		up:   func(filters int) cnn.Layer { return cnn.ConvTranspose3D(filters, 2, cnn.Stride(2), cnn.NoBias()) },
		out:  cnn.Conv3D(c.classes, 1),
		widths: func(level int) widths {
			n := c.base << level
			return widths{n, 2 * n, 4 * n}
		},
	}
	return u.net("UNet3D", "unet3d", c)
}

// unet is what U-Nets in 2 and 3 dims differ in.
type unet struct {
	conv, up  func(filters int) cnn.Layer
	pool, out cnn.Layer
	widths    func(level int) widths
}

// widths are the channels of a level: after the first convolution on the way down,
// after the others, and after the transposed convolution from the level below.
type widths struct{ first, out, up int }

func (u *unet) net(arch, name string, c config) (*cnn.Net, error) {
	multiple := 1 << c.depth
	for i, n := range c.input[1:] {
		if n != cnn.Dynamic && n%multiple != 0 {
			return nil, fmt.Errorf("models: %s: WithInput: spatial dim %d: got %d, want a multiple of %d, which is 2^depth, or cnn.Dynamic", arch, i, n, multiple)
		}
	}
	x := cnn.Input("x", c.input...)
	w := u.widths(0)
	h := cnn.Apply("inc", u.doubleConv(w.first, w.out), x)
	var skips []*cnn.Tensor
	for level := 1; level <= c.depth; level++ {
		skips = append(skips, h)
		w = u.widths(level)
		down := cnn.Sequential(cnn.Named("maxpool_conv", cnn.Sequential(u.pool, u.doubleConv(w.first, w.out))))
		h = cnn.Apply("down"+strconv.Itoa(level), down, h)
	}
	for i := range skips {
		level := len(skips) - 1 - i
		h = cnn.Apply("up"+strconv.Itoa(i+1), u.join(u.widths(level), multiple), h, skips[level])
	}
	y := cnn.Apply("outc", cnn.Sequential(cnn.Named("conv", u.out)), h)
	return cnn.NewNet(name, []*cnn.Tensor{x}, []*cnn.Tensor{y})
}

func (u *unet) doubleConv(first, out int) cnn.Layer {
	return cnn.Sequential(cnn.Named("double_conv", cnn.Sequential(
		u.conv(first), cnn.BatchNorm(), cnn.ReLU(),
		u.conv(out), cnn.BatchNorm(), cnn.ReLU(),
	)))
}

// join enlarges what comes from the level below and puts it behind what the level had
// on the way down. The sizes of both agree where those of the input are multiples of
// the given number.
func (u *unet) join(w widths, multiple int) cnn.Layer {
	return cnn.Func("Up", func(s *cnn.Scope, x ...*graph.Value) (*graph.Value, error) {
		up := s.Call("up", u.up(w.up), x[0])
		if err := s.Err(); err != nil {
			return nil, err
		}
		if down := x[1]; !slices.Equal(down.Shape()[2:], up.Shape()[2:]) {
			return nil, fmt.Errorf("got %v from the way down and %v from the level below, want equal spatial dims: those of the network's input must be multiples of %d", down.Shape(), up.Shape(), multiple)
		}
		both := s.Apply(backend.Concat{Axis: 1, Inputs: 2}, x[1], up)
		return s.Call("conv", u.doubleConv(w.out, w.out), both), s.Err()
	})
}
