package api

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"furrow/web/access"
)

// Token lets a program use this interface over the network.
type Token struct {
	ID      string      `json:"id"`
	Name    string      `json:"name"`
	Role    access.Role `json:"role"`
	Created time.Time   `json:"created"`
	// Expires is absent for one that does not.
	Expires time.Time `json:"expires,omitzero"`
	// LastUsed is to the minute.
	LastUsed time.Time `json:"lastUsed,omitzero"`
}

// NewToken asks for a token. Without Expires it is good until it is removed.
type NewToken struct {
	Name    string      `json:"name"`
	Role    access.Role `json:"role"`
	Expires time.Time   `json:"expires,omitzero"`
}

// TokenMade is a new token with its secret, which is not shown again.
type TokenMade struct {
	Token
	Secret string `json:"secret"`
}

func (h *handler) tokenRoutes() []Route {
	return []Route{
		{
			Method: "GET", Path: "/v1/tokens", Role: access.Server,
			Summary: "Tokens for programs",
			action: answer(h, func(*http.Request) ([]Token, error) {
				tokens := []Token{}
				for _, t := range h.Access.Tokens() {
					tokens = append(tokens, Token(t))
				}
				return tokens, nil
			}),
		},
		{
			Method: "POST", Path: "/v1/tokens", Role: access.Server,
			Summary: "Make a token for a program",
			action: ask(h, func(r *http.Request, q NewToken) (TokenMade, error) {
				t, secret, err := h.Access.AddToken(r.Context(), q.Name, q.Role, q.Expires)
				return TokenMade{Token(t), secret}, err
			}),
		},
		{
			Method: "DELETE", Path: "/v1/tokens/{id}", Role: access.Server,
			Summary: "Remove a token",
			action: answer(h, func(r *http.Request) (Token, error) {
				t, err := h.Access.RemoveToken(r.Context(), r.PathValue("id"))
				return Token(t), err
			}),
		},
	}
}

// Tokens returns all tokens.
func (c *Client) Tokens(ctx context.Context) ([]Token, error) {
	return call[[]Token](ctx, c, http.MethodGet, "/v1/tokens", nil)
}

// AddToken makes one.
func (c *Client) AddToken(ctx context.Context, t NewToken) (TokenMade, error) {
	return call[TokenMade](ctx, c, http.MethodPost, "/v1/tokens", t)
}

// RemoveToken removes one.
func (c *Client) RemoveToken(ctx context.Context, id string) (Token, error) {
	return call[Token](ctx, c, http.MethodDelete, "/v1/tokens/"+url.PathEscape(id), nil)
}
