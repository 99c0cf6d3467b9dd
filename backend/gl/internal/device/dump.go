//go:build cgo

package device

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/convgl/convgl/internal/atomicfile"
	"github.com/convgl/convgl/shaders"
)

// DumpEnv names the environment variable that may name a folder: every shader
// that the driver compiles is written there as it was given to it, includes and
// defines resolved, for people and validators to read.
const DumpEnv = "CONVGL_SHADER_DUMP"

// dump writes s to the folder that DumpEnv names, if any.
func dump(s shaders.Source) error {
	dir := os.Getenv(DumpEnv)
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("gl: %s: %w", DumpEnv, err)
	}
	sum := sha256.Sum256([]byte(s.Text))
	name := fmt.Sprintf("%s-%x.comp", strings.TrimSuffix(s.Name, ".comp"), sum[:6])
	return atomicfile.Write(filepath.Join(dir, name), func(w io.Writer) error {
		_, err := io.WriteString(w, s.Text)
		return err
	})
}
