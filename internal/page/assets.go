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

func loadAssets() (map[string]*asset, error) {
	files, err := fs.Glob(own, "assets/*")
	if err != nil {
		return nil, fmt.Errorf("page: %w", err)
	}
	out := map[string]*asset{}
	for _, file := range files {
		body, err := fs.ReadFile(own, file)
		if err != nil {
			return nil, fmt.Errorf("page: %w", err)
		}
		sum := sha256.Sum256(body)
		name, ext := path.Base(file), path.Ext(file)
		out[name] = &asset{
			path:    AssetPath + strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:6]) + ext,
			handler: web.Static(assetTypes[ext], body, assetAge),
		}
	}
	return out, nil
}

// Assets serves the style sheet, the script and the icon. Mount it on the pages
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
