//go:build !race

package cnn_test

const raced = false
