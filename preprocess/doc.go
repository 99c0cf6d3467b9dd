// Package preprocess makes the input tensor of a network from a picture, by a
// small description: size, crop, filter, channels, scale, mean, standard deviation,
// layout and type. The description comes from the shape of the model's input
// ([ForInput]), from a JSON file beside the model ([Config.Load]) and from text such as
// flags ([Config.Set]), each of which changes what the ones before it said.
//
//	cfg, err := preprocess.ForInput([]int{-1, 3, 224, 224}, tensor.Float32)
//	found, err := cfg.Load(preprocess.Path("m.onnx")) // m.json, where there is one
//	pic, err := preprocess.Decode(file)               // upright, uint8 [H,W,3]
//	x, err := cfg.Tensor(pic)                         // float32 [1,3,224,224]
package preprocess
