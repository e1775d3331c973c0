package operate

import "github.com/prometheus/client_golang/prometheus"

var (
	labels       = []string{"role"}
	diskFree     = prometheus.NewDesc("paspoort_disk_free_bytes", "Free on the disk of the data folder.", labels, nil)
	diskSize     = prometheus.NewDesc("paspoort_disk_size_bytes", "Whole size of the disk of the data folder.", labels, nil)
	certificate  = prometheus.NewDesc("paspoort_certificate_ends_seconds", "When the certificate for https ends, as POSIX time.", []string{"role", "name"}, nil)
	readyNow     = prometheus.NewDesc("paspoort_ready", "1 while the server can do its work.", labels, nil)
	problem      = prometheus.NewDesc("paspoort_problem", "Open problems: 1 is a warning, 2 is critical.", []string{"role", "code", "subject"}, nil)
	alertsFailed = prometheus.NewDesc("paspoort_alerts_failed", "Alerts in a row that could not be sent.", labels, nil)
)

// Describe implements prometheus.Collector.
func (w *Watch) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{diskFree, diskSize, certificate, readyNow, problem, alertsFailed} {
		out <- d
	}
}

// Collect implements prometheus.Collector, from the last look.
func (w *Watch) Collect(out chan<- prometheus.Metric) {
	w.mu.Lock()
	seen, failed := w.seen, w.failed
	w.mu.Unlock()
	gauge := func(d *prometheus.Desc, value float64, more ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, append([]string{w.c.Role}, more...)...)
	}
	if seen.At.IsZero() {
		return
	}
	if seen.Disk != nil {
		gauge(diskFree, float64(seen.Disk.Free))
		gauge(diskSize, float64(seen.Disk.Size))
	}
	if seen.Certificate != nil {
		gauge(certificate, float64(seen.Certificate.Until.Unix()), seen.Certificate.Name)
	}
	if w.c.Ready != nil {
		gauge(readyNow, flag(seen.Ready == nil))
	}
	for _, p := range seen.Problems {
		gauge(problem, float64(p.Level), p.Code, p.Subject)
	}
	if w.c.Notifier != nil {
		gauge(alertsFailed, float64(failed))
	}
}

func flag(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
