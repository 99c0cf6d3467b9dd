package preprocess

import (
	"bytes"
	"encoding/binary"

	"github.com/convgl/convgl/tensor"
)

// orientation returns the EXIF orientation, 1 to 8, of a JPEG file that begins with head, and 1
// where it has none or its EXIF data is damaged. It looks at the segments before
// the picture's data only, each byte at most once.
//
// Sources: JPEG's segments, ITU-T T.81 B.1.1; EXIF's tags in TIFF form, CIPA DC-008 4.5.
func orientation(head []byte) int {
	if len(head) < 2 || head[0] != 0xff || head[1] != 0xd8 {
		return 1
	}
	for p := 2; p+4 <= len(head) && head[p] == 0xff; {
		marker := head[p+1]
		switch {
		case marker == 0xff: // a fill byte
			p++
			continue
		case marker == 0x01, marker >= 0xd0 && marker <= 0xd7: // no length follows
			p += 2
			continue
		case marker == 0xd9, marker == 0xda: // the end, or the picture's data
			return 1
		}
		n := int(binary.BigEndian.Uint16(head[p+2:]))
		if n < 2 || p+2+n > len(head) {
			return 1
		}
		if body, ok := bytes.CutPrefix(head[p+4:p+2+n], []byte("Exif\x00\x00")); ok && marker == 0xe1 {
			return tiffOrientation(body)
		}
		p += 2 + n
	}
	return 1
}

// tiffOrientation returns the value of tag 0x0112 in the first directory.
func tiffOrientation(b []byte) int {
	if len(b) < 8 {
		return 1
	}
	var order binary.ByteOrder = binary.LittleEndian
	switch string(b[:4]) {
	case "II*\x00":
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return 1
	}
	at := int64(order.Uint32(b[4:]))
	if at > int64(len(b))-2 {
		return 1
	}
	entries := b[at+2:]
	for range order.Uint16(b[at:]) {
		if len(entries) < 12 {
			break
		}
		// Tag, type 3 (16 bits), one value, which stands in the first half of four bytes.
		if order.Uint16(entries) == 0x0112 {
			v := int(order.Uint16(entries[8:]))
			if order.Uint16(entries[2:]) != 3 || order.Uint32(entries[4:]) != 1 || v < 1 || v > 8 {
				return 1
			}
			return v
		}
		entries = entries[12:]
	}
	return 1
}

// upright turns a picture [H,W,3] as its orientation says:
//
//	1 as it is   2 mirrored    3 turned by 180°   4 upside down, mirrored
//	5 transposed 6 turned right   7 transposed along the other diagonal   8 turned left
func upright(t *tensor.Tensor, orientation int) (*tensor.Tensor, error) {
	if orientation <= 1 || orientation > 8 {
		return t, nil
	}
	src, err := tensor.Data[uint8](t)
	if err != nil {
		return nil, err
	}
	h, w := t.Shape()[0], t.Shape()[1]
	oh, ow := h, w
	if orientation >= 5 {
		oh, ow = w, h
	}
	out, err := tensor.New(tensor.Uint8, oh, ow, 3)
	if err != nil {
		return nil, err
	}
	dst, err := tensor.Data[uint8](out)
	if err != nil {
		return nil, err
	}
	// Element (y, x) of the result is src[first + y·down + x·right].
	var first, down, right int
	switch orientation {
	case 2:
		first, down, right = w-1, w, -1
	case 3:
		first, down, right = h*w-1, -w, -1
	case 4:
		first, down, right = (h-1)*w, -w, 1
	case 5:
		first, down, right = 0, 1, w
	case 6:
		first, down, right = (h-1)*w, 1, -w
	case 7:
		first, down, right = h*w-1, -1, -w
	case 8:
		first, down, right = w-1, -1, w
	}
	for y := range oh {
		from := first + y*down
		for range ow {
			copy(dst[:3], src[3*from:])
			dst, from = dst[3:], from+right
		}
	}
	return out, nil
}
