// Package viz draws what a convolutional network does: filters, feature maps,
// what pooling keeps, tables and bar charts. It makes pictures in memory;
// [github.com/convgl/convgl/tensor.SavePNG] stores them.
//
//	maps := ...                                      // float32 [1,C,H,W]
//	first, err := viz.Plane(maps, 0, 0)              // [H,W]
//	scale := viz.Symmetric(first, viz.Diverging)
//	img, err := viz.HeatMap(first, scale)
//	fig := viz.Figure{Title: "Edges", Panels: []viz.Panel{{Title: "map 0", Image: img, Bar: &scale}}}
//	page, err := fig.Draw()
//
// A value becomes a colour by a [Scale]; a picture, a table or a chart becomes
// one [Panel] of a [Figure], which adds titles, captions and colour bars. All
// pictures are deterministic: the same input gives the same pixels on the same
// architecture.
package viz
