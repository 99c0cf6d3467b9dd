// Package models has ready architectures: functions that return a [cnn.Net].
//
//	net, err := models.ResNet50(models.WithClasses(10))
//
// The parameters begin as [cnn.Net.Init] makes them. Their names, types and shapes are
// those of the state_dict of the PyTorch model that each function names, so that a
// file exported from there loads as it is. Outputs are logits: a [cnn.Softmax] behind
// them gives probabilities, and the class is the same without it. Inputs are what the
// weights were trained with; for torchvision's, pictures as RGB in 0..1, less the mean
// 0.485, 0.456, 0.406 and over the deviation 0.229, 0.224, 0.225.
package models
