package page

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"paspoort.example/paspoort/internal/web"
)

// AssetPath is where a site serves the kit's files.
const AssetPath = "/assets/"

// A path carries a hash of the contents, so the file behind it never changes.
const assetAge = 365 * 24 * time.Hour

type asset struct {
	path    string
	handler http.Handler
}

var assetTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

// The style sheets and the scripts of all sources are one file each: one request on a
// slow network. Pictures stay apart, each under its own name.
const (
	styleName  = "paspoort.css"
	scriptName = "paspoort.js"
)

func loadAssets(sources []fs.FS) (map[string]*asset, error) {
	out, style, script := map[string]*asset{}, []byte(nil), []byte(nil)
	for _, source := range sources {
		files, err := fs.Glob(source, "assets/*") // sorted
		if err != nil {
			return nil, fmt.Errorf("page: %w", err)
		}
		for _, file := range files {
			body, err := fs.ReadFile(source, file)
			if err != nil {
				return nil, fmt.Errorf("page: %w", err)
			}
			name := path.Base(file)
			switch path.Ext(file) {
			case ".css":
				style = append(append(style, body...), '\n')
			case ".js":
				script = append(append(script, body...), ";\n"...) // ";": a file may end without
			case ".svg":
				if out[name] != nil {
					return nil, fmt.Errorf("page: two assets are called %s", name)
				}
				out[name] = newAsset(name, body)
			default:
				return nil, fmt.Errorf("page: %s: an asset is css, js or svg", file)
			}
		}
	}
	out[styleName], out[scriptName] = newAsset(styleName, style), newAsset(scriptName, script)
	return out, nil
}

func newAsset(name string, body []byte) *asset {
	sum, ext := sha256.Sum256(body), path.Ext(name)
	return &asset{
		path:    AssetPath + strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:6]) + ext,
		handler: web.Static(assetTypes[ext], body, assetAge),
	}
}

// Assets serves the style sheet, the script and the pictures. Mount it on the pages
// router with PathPrefix(page.AssetPath).
func (k *Kit) Assets() http.Handler {
	byPath := map[string]http.Handler{}
	for _, a := range k.assets {
		byPath[a.path] = a.handler
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, ok := byPath[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		h.ServeHTTP(w, r)
	})
}
