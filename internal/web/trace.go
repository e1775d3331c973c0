package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// Tracing is off unless the operator names a collector. A span then says what a log line
// says, route, method, status and duration, and no more: no address, no query, nothing of
// the path. What a request says of the trace that it belongs to is not read, and none is sent along:
// an id that travels from one organisation to the next would tell that both served the same
// person.
//
// The provider is ours and not OpenTelemetry's global one, because libraries that find that
// one add spans of their own, and nobody knows what those hold.
var tracer atomic.Pointer[trace.Tracer]

// Tracing are the settings of OpenTelemetry.
type Tracing struct {
	// Endpoint is a collector that takes OTLP over HTTP: "http://127.0.0.1:4318".
	Endpoint string `json:"endpoint"`
	// Share of the requests that are sent, above 0 and at most 1; 0 means all.
	Share float64 `json:"share,omitzero"`
}

// StartTracing sends spans from here on, for the whole process. Call stop at the end; it
// sends what waits still. An error says what to change in the settings; a collector that is
// away is none: spans are then lost and requests go on.
func StartTracing(ctx context.Context, t Tracing, role string) (stop func(context.Context) error, err error) {
	u, err := url.Parse(t.Endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("tracing: %q is no address of a collector, such as http://127.0.0.1:4318", t.Endpoint)
	}
	if t.Share < 0 || t.Share > 1 {
		return nil, errors.New("tracing: the share of requests lies between 0 and 1")
	}
	if t.Share == 0 {
		t.Share = 1
	}
	u.Path = "/v1/traces" // OTLP/HTTP, "Default URL paths"
	out, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(u.String()))
	if err != nil {
		return nil, fmt.Errorf("tracing: %w", err)
	}
	// Not the default resource: it names the machine and its user.
	who := resource.NewSchemaless(attribute.String("service.name", "paspoort-"+role))
	provider := sdk.NewTracerProvider(sdk.WithBatcher(out), sdk.WithResource(who), sdk.WithSampler(sdk.TraceIDRatioBased(t.Share)))
	own := provider.Tracer("paspoort")
	tracer.Store(&own)
	return func(ctx context.Context) error {
		off := noop.NewTracerProvider().Tracer("")
		tracer.Store(&off)
		return provider.Shutdown(ctx)
	}, nil
}

// Span begins a part of the request that ctx belongs to; call end when it is done. The name
// is a constant: nothing of the request. Without tracing it does nothing.
func Span(ctx context.Context, name string) (spanned context.Context, end func(error)) {
	t := tracer.Load()
	if t == nil {
		return ctx, func(error) {}
	}
	ctx, span := (*t).Start(ctx, name)
	return ctx, func(err error) {
		if err != nil {
			span.SetStatus(codes.Error, "") // an error's text may hold anything
		}
		span.End()
	}
}

// requestSpan begins the span of a request; end takes the record once it is complete.
func requestSpan(r *http.Request) (*http.Request, func(*record)) {
	t := tracer.Load()
	if t == nil {
		return r, func(*record) {}
	}
	ctx, span := (*t).Start(r.Context(), "request", trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindServer))
	return r.WithContext(ctx), func(rec *record) {
		if rec.quiet() {
			return // a span that never ends is never sent
		}
		method := knownMethod(r.Method)
		span.SetName(method + " " + rec.route)
		span.SetAttributes(attribute.String("http.request.method", method), attribute.String("http.route", rec.route),
			attribute.Int("http.response.status_code", rec.status))
		if rec.status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}
