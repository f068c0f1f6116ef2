package service

import (
	"net/http"
	"strings"

	"furrow/gms/soap/spcm"
)

// serverVersion is the major version that GMSConfig announces, that of Groove
// Server 2010: from 14 on clients follow the announced paths (MS-GRVSPCM
// appendix B, note 3).
const serverVersion = 14

// gmsConfig tells a client where the services are, in headers of an empty
// response (MS-GRVSPCM 2.2.3.49, 3.2.5.3.1). The protocol is that of the
// server URL, by which the box is reached, possibly through a proxy; or TLS where
// passwords are asked for (3.2.5.2.1.2).
func (s *Server) gmsConfig(w http.ResponseWriter) {
	address, err := s.directory.ServerURL()
	if err != nil {
		s.log.Error("GMSConfig not answered", "error", err)
		http.Error(w, http.StatusText(http.StatusServiceUnavailable), http.StatusServiceUnavailable)
		return
	}
	tls := strings.HasPrefix(address, "https:")
	spcm.Config{
		Version: serverVersion,
		Normal:  spcm.Endpoint{TLS: tls, Path: pathServices},
		Auth:    spcm.Endpoint{TLS: tls || s.authTLS != nil && s.authTLS(), Path: pathAutomatic},
	}.SetHeader(w.Header())
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
}
