package admin

import (
	"context"
	"errors"

	"furrow/gms/soap/spmr"
	"furrow/relay/registry"
)

// apply processes an application message (MS-GRVSPMR 3.2.4.2).
func (s *Server) apply(ctx context.Context, x *exchange, method string, payload []byte) ([]byte, error) {
	// 3.2.4.2.1
	fragment, err := spmr.ParseFragment(payload, spmr.MaxRequestSize)
	if err != nil {
		return nil, err
	}
	if fragment.Method != method {
		return nil, spmr.NewFault(spmr.CodeMethod, errors.New("fragment names another method than the envelope"))
	}
	manager, err := s.registry.ManagerByName(fragment.ManagementServer)
	if err != nil {
		return nil, faultOf(err)
	}
	x.manager = manager.GUID
	key, err := s.registry.SharedKey(manager.GUID)
	if err != nil {
		return nil, faultOf(err)
	}
	// 3.2.4.2.2
	plaintext, reading, err := fragment.Open(key)
	if err != nil {
		return nil, err
	}
	// 3.2.4.2.3
	request := registry.Request{Manager: manager.GUID, Key: key, ID: [spmr.SharedKeySize]byte(fragment.IV)}
	epoch, err := s.carryOut(ctx, request, method, plaintext)
	if err != nil {
		return nil, faultOf(err)
	}
	// 3.2.4.2.4
	response := spmr.Response{Method: method, Epoch: epoch}
	return spmr.Secure(fragment.Header, key, response.Encode(), reading)
}

// carryOut does what the sections 3.2.4.3 to 3.2.4.7 say and returns the epoch.
func (s *Server) carryOut(ctx context.Context, q registry.Request, method string, payload []byte) (int32, error) {
	switch method {
	case spmr.MethodRelayDefault:
		m, err := spmr.DecodeRelayDefault(payload)
		if err != nil {
			return 0, err
		}
		return s.registry.SetDefaults(ctx, q, registry.Settings{
			DeviceLifetime: m.DeviceLifetime, DeviceQuota: m.DeviceQuota,
			IdentityLifetime: m.IdentityLifetime, IdentityQuota: m.IdentityQuota,
			PurgeEnabled: m.PurgeEnabled, QuotaEnabled: m.QuotaEnabled,
		})
	case spmr.MethodRelayQuiescent:
		m, err := spmr.DecodeRelayQuiescent(payload)
		if err != nil {
			return 0, err
		}
		return s.registry.SetInactive(ctx, q, m.Inactive)
	case spmr.MethodUserAdd:
		m, err := spmr.DecodeUserAdd(payload)
		if err != nil {
			return 0, err
		}
		return s.registry.AddUsers(ctx, q, m.UserIDs)
	case spmr.MethodAccountModify:
		m, err := spmr.DecodeAccountModify(payload)
		if err != nil {
			return 0, err
		}
		wanted := make([]registry.Lockout, len(m.Users))
		for i, user := range m.Users {
			wanted[i] = registry.Lockout(user)
		}
		return s.registry.ModifyUsers(ctx, q, wanted)
	case spmr.MethodUserPurge:
		m, err := spmr.DecodeUserPurge(payload)
		if err != nil {
			return 0, err
		}
		return s.purge(ctx, q, m.UserIDs)
	}
	return 0, spmr.NewFault(spmr.CodeMethod, errors.New("method without processing"))
}

// purge discards the messages of users (MS-GRVSPMR 3.2.4.6). It is noted when it
// is done: a crash in between costs a second purge, which finds nothing.
func (s *Server) purge(ctx context.Context, q registry.Request, ids []string) (int32, error) {
	if !s.registry.Done(q) {
		holdings, err := s.registry.Holdings(q.Manager, ids)
		if err != nil {
			return 0, err
		}
		if len(holdings) > 0 {
			if err := s.purger.Purge(ctx, holdings); err != nil {
				return 0, err
			}
		}
	}
	return s.registry.Acknowledge(ctx, q)
}
