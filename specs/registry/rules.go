package registry

// ruleOf is what a kind demands and does under a rules version. What a version says never
// changes once a region can have been founded under it: a change is a row in a newer table.
func ruleOf(version int, k Kind) (rule, bool) {
	if version >= 3 {
		if r, ok := rules3(k); ok {
			return r, true
		}
	}
	if version >= 2 {
		if r, ok := rules2(k); ok {
			return r, true
		}
	}
	return rules1(k)
}

// rules3 are the rows of rules version 3 that are not those of versions before.
func rules3(k Kind) (rule, bool) {
	switch k {
	case KindPeerAccepted:
		return rule{new: bodyOf[PeerAcceptance], authorise: authorisePeer, threshold: always(ForAmendment), enact: enactPeerAccepted}, true
	case KindPeerDropped:
		return rule{new: bodyOf[PeerDrop], authorise: authorisePeerDrop, threshold: always(ForWithdrawal), enact: enactPeerDropped}, true
	case KindWitness:
		return rule{new: bodyOf[WitnessChange], authorise: authoriseWitnesses, threshold: always(ForInfrastructure), enact: enactWitnesses}, true
	case KindCustodian:
		return rule{new: bodyOf[Custodian], authorise: authoriseCustodian, threshold: always(ForWithdrawal), enact: enactCustodian}, true
	}
	return rule{}, false
}

// rules2 are the rows of rules version 2 that are not those of version 1.
func rules2(k Kind) (rule, bool) {
	switch k {
	case KindAppealed:
		return rule{new: bodyOf[Appeal], authorise: authoriseAppeal, threshold: always(ForAdmission), enact: enactAppeal}, true
	case KindSucceeded:
		return rule{new: bodyOf[Succession], authorise: authoriseSuccession, threshold: always(ForAdmission), enact: enactSuccession}, true
	case KindContinued:
		return rule{new: bodyOf[Continued], authorise: onlyMembers, threshold: always(ForAmendment), enact: enactContinued}, true
	case KindDigest:
		return rule{new: bodyOf[StateDigest], authorise: authoriseDigest, enact: enactDigest}, true
	case KindFunction, KindFunctionChanged:
		return rule{new: bodyOf[FunctionPublication], authorise: authorisePublication[FunctionProfile], enact: enactPublication(functionTable, k == KindFunctionChanged)}, true
	case KindFunctionClosed:
		return rule{new: bodyOf[Closing], authorise: authoriseClosing, enact: enactClosing(functionTable)}, true
	case KindModule, KindModuleChanged:
		return rule{new: bodyOf[ModulePublication], authorise: authorisePublication[Module], enact: enactPublication(moduleTable, k == KindModuleChanged)}, true
	case KindModuleClosed:
		return rule{new: bodyOf[Closing], authorise: authoriseClosing, enact: enactClosing(moduleTable)}, true
	}
	return rule{}, false
}

// rules1 is the table of rules version 1.
func rules1(k Kind) (rule, bool) {
	switch k {
	case KindFounded:
		return rule{new: bodyOf[Charter], authorise: authoriseFounding, enact: enactFounding}, true
	case KindAmended:
		return rule{new: bodyOf[Amendment], authorise: onlyMembers, threshold: always(ForAmendment), enact: enactAmendment}, true
	case KindClock:
		return rule{new: bodyOf[Clock], authorise: authoriseClock, enact: enactClock}, true
	case KindKeyRotated:
		return rule{new: bodyOf[MemberKey], authorise: authoriseRotation, enact: enactMemberKey}, true
	case KindKeyLost, KindKeyStolen:
		return rule{new: bodyOf[MemberKey], authorise: authoriseMemberKey, threshold: memberKeyThreshold, enact: enactMemberKey}, true
	case KindNodeAdded, KindNodeRemoved, KindNodeKeys:
		return rule{new: bodyOf[NodeChange], authorise: onlyMembers, threshold: always(ForInfrastructure), enact: enactNode}, true
	case KindApplied:
		return rule{new: bodyOf[Application], authorise: authoriseApplication, threshold: always(ForAdmission), enact: enactAdmission, commits: true}, true
	case KindApproved, KindRefused:
		return rule{new: bodyOf[Decision], authorise: authoriseVote, enact: enactVote}, true
	case KindConfirmed:
		return rule{new: bodyOf[Decision], authorise: authoriseVote, enact: enactConfirmation}, true
	case KindSuspended:
		return rule{new: bodyOf[Measure], authorise: authoriseMeasure, threshold: always(ForSuspension), enact: enactSuspension}, true
	case KindReinstated:
		return rule{new: bodyOf[Measure], authorise: authoriseMeasure, threshold: always(ForWithdrawal), enact: enactReinstatement}, true
	case KindWithdrawn:
		return rule{new: bodyOf[Measure], authorise: authoriseMeasure, threshold: withdrawalThreshold, enact: enactWithdrawal}, true
	case KindDetails:
		return rule{new: bodyOf[Details], authorise: authoriseIdentity, threshold: identityThreshold, enact: enactDetails, commits: true}, true
	case KindAliases:
		return rule{new: bodyOf[AliasChange], authorise: authoriseIdentity, threshold: identityThreshold, enact: enactAliases, commits: true}, true
	case KindOrgKeys:
		return rule{new: bodyOf[OrganisationKey], authorise: authoriseOrganisationKey, threshold: organisationKeyThreshold, enact: enactOrganisationKey}, true
	case KindCertificate:
		return rule{new: bodyOf[CertificateRecord], authorise: authoriseCertificate, enact: enactCertificate, commits: true}, true
	case KindCertRevoked:
		return rule{new: bodyOf[CertificateRevocation], authorise: authoriseRevocation, threshold: revocationThreshold, enact: enactRevocation}, true
	case KindAnchorAdded, KindAnchorRemoved:
		return rule{new: bodyOf[AnchorChange], authorise: onlyMembers, threshold: always(ForInfrastructure), enact: enactAnchor}, true
	case KindCatalogue:
		return rule{new: bodyOf[Catalogue], authorise: onlyMembers, threshold: always(ForHobbels), enact: enactCatalogue}, true
	case KindHobbel:
		return rule{new: bodyOf[HobbelClaim], authorise: authoriseHobbel, threshold: always(ForHobbels), enact: enactHobbel}, true
	case KindRules:
		return rule{new: bodyOf[RulesChange], authorise: onlyMembers, threshold: always(ForAmendment), enact: enactRules}, true
	case KindErased:
		return rule{new: bodyOf[Erasure], authorise: onlyMembers, threshold: always(ForErasure), enact: enactErasure}, true
	}
	return rule{}, false
}

// bodyOf makes an empty body of a type.
func bodyOf[T any, P interface {
	*T
	Body
}]() Body {
	return P(new(T))
}
