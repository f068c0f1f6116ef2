package service

import (
	"errors"

	"furrow/appliance/keys"
	"furrow/gms/directory"
	"furrow/gms/soap"
)

// faultOf returns the fault that answers an error of the directory, or the
// error itself if it is nil or a failure of ours, which is fault 203. The
// sections differ in one point: the code for a member who is not there, or
// whose status does not allow what is asked.
func faultOf(err error, noMember soap.Code) error {
	for _, row := range []struct {
		err  error
		code soap.Code
	}{
		{directory.ErrDomainNotFound, soap.CodeDomainNotFound},
		{directory.ErrAccountNotFound, soap.CodeAccountNotFound},
		{directory.ErrDeviceNotFound, soap.CodeAccountNotFound},
		{directory.ErrMemberNotFound, noMember},
		{directory.ErrStatus, noMember},
		{directory.ErrEnrolledWithOtherKey, soap.CodeActivationEnrolled},
		{directory.ErrOtherSignatureKey, soap.CodeSecurity},
		{directory.ErrOutdated, soap.CodeParameter},
		{directory.ErrBoundElsewhere, soap.CodeParameter},
		{directory.ErrFragment, soap.CodeAccountBackup},
		{directory.ErrListingFixed, soap.CodeParameter},
		{directory.ErrInvalid, soap.CodeParameter},
		{directory.ErrNotPublished, soap.CodeContactFetch},
		{directory.ErrResetElsewhere, soap.CodePasswordReset},
		{directory.ErrResetNotAllowed, soap.CodePasswordReset},
		{directory.ErrOtherRecoveryKey, soap.CodePasswordReset},
		{keys.ErrEscrow, soap.CodePasswordReset},
		{directory.ErrNotMigrating, soap.CodeParameter},
	} {
		if errors.Is(err, row.err) {
			return soap.NewFault(row.code, err)
		}
	}
	return err
}
