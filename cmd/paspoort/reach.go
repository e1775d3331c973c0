package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"paspoort.example/paspoort/internal/outbound"
)

const privateUsage = "range of private addresses that may be reached, such as 10.20.0.0/16, for a region inside one network; may be repeated"

// reachTimeout is how long one node may take: whether it runs is not the question.
const reachTimeout = 3 * time.Second

// mayReach says at once when the settings keep somebody from nodes for ever, and what to add.
// A node that is merely away is no reason: it may come back.
func mayReach(ctx context.Context, nodes []string, settings outbound.Settings) error {
	policy, err := settings.Policy()
	if err != nil {
		return err
	}
	policy.Timeout = reachTimeout
	client := outbound.New(policy)
	for _, url := range nodes {
		_, _, err := client.Get(ctx, url+"/v1/status", "application/json")
		var unknown x509.UnknownAuthorityError
		switch {
		case errors.Is(err, outbound.ErrAddress), errors.Is(err, outbound.ErrURL):
			return withWords(fmt.Errorf("%s: %w", url, err), "not_allowed",
				words("Het adres "+url+" mag niet worden gebruikt: het is van deze computer, van een eigen netwerk, of geen https.",
					"The address "+url+" may not be used: it is of this computer or of a private network, or it is not https."),
				words("Voor een regio op deze computer: --loopback-http. Voor een eigen netwerk: --allow-private BEREIK, zoals 10.20.0.0/16.",
					"For a region on this computer add --loopback-http. For a private network add --allow-private RANGE, such as 10.20.0.0/16."))
		case errors.As(err, &unknown):
			return withWords(fmt.Errorf("%s: %w", url, err), "unknown_authority",
				words("Het certificaat van "+url+" is van een autoriteit die deze computer niet kent.",
					"The certificate of "+url+" is of an authority that this computer does not know."),
				words("Noem haar certificaat: --ca-file BESTAND", "Name its certificate: --ca-file FILE"))
		}
	}
	return nil
}
