//go:build cgo

package graph_test

import _ "github.com/convgl/convgl/backend/gl"
