package service

import (
	"context"

	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

// fileUpload takes a fragment of a file that is kept for auditing (MS-GRVSPCM
// 3.2.5.7.4).
func fileUpload(ctx context.Context, s *Server, m *accountMessage) (*reply, error) {
	p, err := spcm.DecodeFileUpload(m.header)
	if err != nil {
		return nil, err
	}
	complete, hash, err := s.audit.UploadFile(ctx, senderOf(m.event), p)
	if err != nil {
		return nil, uploadFault(err, soap.CodeAuditFileUpload)
	}
	domain, err := s.directory.DomainKeys(m.event.DomainGUID)
	if err != nil {
		return nil, faultOf(err, soap.CodeProcessing)
	}
	answer := spcm.FileUploadResponse{Complete: complete, Hash: hash}
	payload, err := answer.Encode(domain.Signature)
	if err != nil {
		return nil, err
	}
	return &reply{soap.WrapperReturnPayload, payload}, nil
}

// fileUploadQuery tells whether a file is there (MS-GRVSPCM 3.2.5.7.3).
func fileUploadQuery(_ context.Context, s *Server, m *accountMessage) (*reply, error) {
	p, err := spcm.DecodeFileUploadQuery(m.payload)
	if err != nil {
		return nil, err
	}
	domain, err := s.directory.DomainKeys(m.event.DomainGUID)
	if err != nil {
		return nil, faultOf(err, soap.CodeProcessing)
	}
	answer := spcm.FileUploadQueryResponse{
		Complete: true, Hash: p.Hash, Status: s.audit.FileStatus(m.event.DomainGUID, m.event.GUID, p.Hash),
	}
	payload, err := answer.Encode(domain.Signature)
	if err != nil {
		return nil, err
	}
	return &reply{soap.WrapperReturnPayload, payload}, nil
}
