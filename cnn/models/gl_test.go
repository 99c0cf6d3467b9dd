//go:build cgo

package models

import _ "github.com/convgl/convgl/backend/gl"
