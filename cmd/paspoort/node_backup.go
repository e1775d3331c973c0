package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"paspoort.example/paspoort/internal/backup"
	"paspoort.example/paspoort/internal/conf"
	"paspoort.example/paspoort/internal/founding"
	"paspoort.example/paspoort/internal/keyfile"
	"paspoort.example/paspoort/internal/outbound"
	"paspoort.example/paspoort/node"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/tlog"
)

// What is in a backup, beside the files of the node.
const (
	manifestName = "manifest.json"
	storeName    = "store"
	recordName   = "data/cosigned.json"
)

// manifest says what a backup is of.
type manifest struct {
	Version int       `json:"version"`
	Node    string    `json:"node"`
	Region  string    `json:"region"`
	Made    time.Time `json:"made"`
	Program string    `json:"program"`
}

func newNodeBackupCommand() *cobra.Command {
	var config, out, makeKey string
	var force bool
	var to []string
	cmd := &cobra.Command{
		Use:   "backup",
		Short: "Write a backup that only its recipients can read, also while the node runs",
		Long: `Write a backup that only its recipients can read, also while the node runs: its keys,
its configuration and all it stored. Recipients are public keys of age; make one with
--make-key, on another machine, and keep the file that it writes away from the node.

  paspoort node backup --make-key backup.key
  paspoort node backup --config node.json --recipient age1... --out node.backup

Recipients can stand in the configuration file too, as "backup_recipients".`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if makeKey != "" {
				return makeBackupKey(cmd, makeKey)
			}
			var c conf.Node
			if err := loadConfig(config, &c); err != nil {
				return err
			}
			if to = append(to, c.BackupRecipients...); len(to) == 0 {
				return exitError{exitUsage, hint(errors.New("nobody could read the backup"), "say --recipient age1..., or make a key with --make-key")}
			}
			if out == "" {
				out = c.ID + "-" + time.Now().UTC().Format("20060102T150405Z") + ".backup"
			}
			if _, err := os.Lstat(out); err == nil && !force {
				return hint(fmt.Errorf("%s is there already; it was not changed", out), "choose another name with --out, or say --force to put this backup in its place")
			}
			if err := hasFolder(out); err != nil {
				return err
			}
			return backupNode(cmd, &c, out, to)
		},
	}
	cmd.Flags().StringVar(&config, "config", "node.json", "configuration file of the node")
	cmd.Flags().StringArrayVar(&to, "recipient", nil, "public key of who can read it, age1...; may be repeated")
	cmd.Flags().StringVar(&out, "out", "", "file to write; without it a name with the date")
	cmd.Flags().BoolVar(&force, "force", false, "write over a file that is there already")
	cmd.Flags().StringVar(&makeKey, "make-key", "", "make a key to read backups with in this file, and write no backup")
	return cmd
}

func makeBackupKey(cmd *cobra.Command, path string) error {
	if err := free(path); err != nil {
		return hint(err, "choose another name; a key that others made backups for is never written over")
	}
	recipient, err := backup.NewKey(path)
	if err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "Written: %s\nrecipient: %s\n", path, recipient)
	fmt.Fprintln(cmd.OutOrStdout(), "Whoever has this file can read the backups, and without it nobody can: keep it in two places, none of them the node.")
	return nil
}

// free refuses a file that is there already, or that has no folder to be in.
func free(path string) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s is there already; it was not changed", path)
	}
	return hasFolder(path)
}

func hasFolder(path string) error {
	dir := filepath.Dir(path)
	if info, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return hint(fmt.Errorf("there is no folder %s", dir), "make it, or name another file")
	} else if err == nil && !info.IsDir() {
		return fmt.Errorf("%s is no folder", dir)
	}
	return nil
}

func backupNode(cmd *cobra.Command, c *conf.Node, out string, keys []string) error {
	to, err := backup.Recipients(keys...)
	if err != nil {
		return err
	}
	files, region, err := nodeFiles(c)
	if err != nil {
		return err
	}
	m, err := json.Marshal(manifest{Version: 1, Node: c.ID, Region: region, Made: time.Now().UTC().Truncate(time.Second), Program: version()})
	if err != nil {
		return err
	}
	size, err := writeWhole(out, func(f io.Writer) error {
		w, err := backup.NewWriter(f, to)
		if err != nil {
			return err
		}
		if err := w.File(manifestName, m); err != nil {
			return err
		}
		for _, file := range files {
			if err := w.File(file.name, file.body); err != nil {
				return err
			}
		}
		if err := streamStore(cmd.Context(), c, w); err != nil {
			return err
		}
		return w.Close()
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "Written: %s, %d kB, for %d recipient(s)\n", out, size>>10, len(to))
	fmt.Fprintln(cmd.OutOrStdout(), typed("See now and then whether it can be put back:\n  paspoort node restore "+out+" --key backup.key --drill"))
	return nil
}

// streamStore takes the dump of the running node, or of its folder when none runs.
func streamStore(ctx context.Context, c *conf.Node, w *backup.Writer) error {
	err := node.Operator{Socket: controlSocket(c)}.Dump(ctx, func(r io.Reader) error { return w.Stream(storeName, r) })
	if !errors.Is(err, node.ErrNotRunning) {
		return err
	}
	r, pipe := io.Pipe()
	go func() { pipe.CloseWithError(node.DumpFolder(c.Data, pipe)) }()
	return errors.Join(w.Stream(storeName, r), r.Close())
}

// writeWhole writes a file beside path and puts it in place when it is whole.
func writeWhole(path string, write func(io.Writer) error) (size int64, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".backup-")
	if err != nil {
		return 0, err
	}
	if err = write(f); err == nil {
		err = f.Sync()
	}
	if info, statErr := f.Stat(); statErr == nil {
		size = info.Size()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		err = errors.Join(err, os.Remove(f.Name()))
	}
	return size, err
}

type backupFile struct {
	name string
	body []byte
}

// nodeFiles are the configuration, made to stand in any folder, and the files it names. It
// gives the region's id as well.
func nodeFiles(c *conf.Node) ([]backupFile, string, error) {
	moved := *c
	var out []backupFile
	add := func(name, path string) error {
		if path == "" {
			return nil
		}
		body, err := os.ReadFile(path)
		out = append(out, backupFile{name, body})
		return err
	}
	err := errors.Join(add(foundingFile, c.Founding), add(founding.FilePeerKey, c.PeerKey), add(founding.FileLogKey, c.LogKey),
		add(founding.FileCosignerKey, c.CosignerKey), add(founding.FileTimestampKey, c.TimestampKey), add(founding.FileFederationKey, c.FederationKey), add("https.pem", c.TLSCert),
		add("https.key", c.TLSKey), add("outbound-ca.pem", c.Outbound.CAFile))
	if err != nil {
		return nil, "", err
	}
	moved.Founding, moved.Data, moved.Control = foundingFile, "data", ""
	moved.PeerKey, moved.LogKey, moved.CosignerKey, moved.TimestampKey = founding.FilePeerKey, founding.FileLogKey, founding.FileCosignerKey, founding.FileTimestampKey
	for to, name := range map[*string]string{&moved.FederationKey: founding.FileFederationKey, &moved.TLSCert: "https.pem", &moved.TLSKey: "https.key", &moved.Outbound.CAFile: "outbound-ca.pem"} {
		if *to != "" {
			*to = name
		}
	}
	if c.ACME != nil {
		acme := *c.ACME
		acme.Cache = "acme" // a certificate is asked anew
		moved.ACME = &acme
	}
	body, err := json.MarshalIndent(moved, "", "  ")
	if err != nil {
		return nil, "", err
	}
	out = append(out, backupFile{"node.json", append(body, '\n')})
	record, err := os.ReadFile(filepath.Join(c.Data, "cosigned.json"))
	if err == nil {
		out = append(out, backupFile{recordName, record})
	} else if !errors.Is(err, os.ErrNotExist) {
		return nil, "", err
	}
	event, err := registry.ParseEvent(out[0].body)
	return out, event.Event.ID(), err
}

func newNodeRestoreCommand() *cobra.Command {
	var key, dir, against, caFile string
	var drill, asJSON bool
	cmd := &cobra.Command{
		Use:   "restore BACKUP",
		Short: "Put a backup back in an empty folder, or try whether that would work",
		Long: `Put a backup back in an empty folder. The node that starts there comes back without a
vote, fetches what was written since, and then takes part again. Never start it while
the machine that the backup is of still runs.

With --drill everything is put in a folder that is removed again, checked as by
"paspoort node check", and reported; --node also compares it with the region as it is.`,
		Args: exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if key == "" || !drill && dir == "" {
				return exitError{exitUsage, errors.New("say --key, and --dir or --drill")}
			}
			if drill {
				return drillBackup(cmd, args[0], key, against, caFile, asJSON)
			}
			m, err := restoreBackup(args[0], key, dir)
			if err != nil {
				return err
			}
			config := filepath.Join(dir, "node.json")
			fmt.Fprintf(cmd.OutOrStdout(), "Restored: %s as it was at %s, in %s\nregion %s: is it yours? Anybody can seal something to your public key\n", m.Node, m.Made.Format(time.RFC3339), dir, m.Region)
			fmt.Fprintln(cmd.OutOrStdout(), typed("Check it, and start it when the old machine is off:\n  paspoort node check --config "+config+"\n  paspoort node serve --config "+config))
			return nil
		},
	}
	cmd.Flags().StringVar(&key, "key", "", "file with the key that reads backups")
	cmd.Flags().StringVar(&dir, "dir", "", "empty folder to put everything in")
	cmd.Flags().BoolVar(&drill, "drill", false, "only try, report, and leave nothing behind")
	cmd.Flags().StringVar(&against, "node", "", "with --drill: address of a node of the region, to compare with")
	cmd.Flags().StringVar(&caFile, "ca-file", "", "PEM file with a certificate authority to trust beside the system's")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the report as JSON")
	return cmd
}

// restoreBackup puts everything of a backup into dir.
func restoreBackup(path, key, dir string) (m manifest, err error) {
	ids, err := backup.Identities(key)
	if err != nil {
		return m, err
	}
	f, err := os.Open(path)
	if err != nil {
		return m, err
	}
	defer f.Close()
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return m, fmt.Errorf("%s is not empty: choose another folder; nothing is overwritten", dir)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return m, err
	}
	defer func() {
		if err != nil { // half a node stays nowhere
			err = errors.Join(err, emptied(dir))
		}
	}()
	var record []byte
	err = backup.Read(f, ids, func(name string, body io.Reader) error {
		switch name {
		case manifestName:
			if err := json.NewDecoder(body).Decode(&m); err != nil || m.Version != 1 {
				return fmt.Errorf("this program reads backups of version 1, this one is of version %d", m.Version)
			}
			return nil
		case storeName:
			return node.Restore(filepath.Join(dir, "data"), body)
		case recordName:
			record, err = io.ReadAll(body)
			return err
		}
		if name != filepath.Base(name) || strings.HasPrefix(name, ".") {
			return fmt.Errorf("%w: it holds a file %q", backup.ErrArchive, name)
		}
		content, err := io.ReadAll(body)
		if err != nil {
			return err
		}
		return keyfile.WriteAtomic(filepath.Join(dir, name), content, 0o600)
	})
	if err == nil && record != nil {
		err = keyfile.WriteAtomic(filepath.Join(dir, recordName), record, 0o600)
	}
	return m, err
}

// emptied removes what is in a folder that was empty before.
func emptied(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
	}
	return err
}

// drillReport is what a drill tells.
type drillReport struct {
	Backup     string          `json:"backup"`
	Made       time.Time       `json:"made"`
	Age        string          `json:"age"`
	OK         bool            `json:"ok"`
	Inspection node.Inspection `json:"inspection"`
}

func drillBackup(cmd *cobra.Command, path, key, against, caFile string, asJSON bool) (err error) {
	dir, err := os.MkdirTemp("", "paspoort-drill-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	m, err := restoreBackup(path, key, dir)
	if err != nil {
		return err
	}
	var c conf.Node
	if err := conf.Load(filepath.Join(dir, "node.json"), &c); err != nil {
		return err
	}
	i, err := inspectNode(&c)
	if err != nil {
		return err
	}
	if i.Region != m.Region {
		i.Findings = append(i.Findings, node.Finding{What: "region", Detail: "the backup says that it is of region " + m.Region})
	}
	bad := errors.New("this backup cannot be relied on")
	if against != "" {
		f := node.Finding{What: "same history"}
		detail, unlike := compareHistory(cmd.Context(), i, against, caFile)
		if f.Detail = detail; unlike != nil {
			f.Detail = unlike.Error()
			if _, away := errors.AsType[awayError](unlike); away && i.OK() {
				f.Detail = "not compared; the backup itself is sound: " + f.Detail
				bad = errors.New("this backup is sound by itself, and could not be compared with the region")
			}
		}
		f.OK = unlike == nil
		i.Findings = append(i.Findings, f)
	}
	report := drillReport{Backup: path, Made: m.Made, Age: time.Since(m.Made).Round(time.Minute).String(), OK: i.OK(), Inspection: i}
	if asJSON {
		err = printJSON(cmd.OutOrStdout(), report)
	} else {
		fmt.Fprintf(cmd.OutOrStdout(), "Drill of %s: %s as it was at %s, %s ago\n  %-16s %s\n", path, m.Node, m.Made.Format(time.RFC3339), report.Age, "region", i.Region)
		printInspection(cmd.OutOrStdout(), i)
	}
	if err == nil && !report.OK {
		err = exitError{exitFailed, bad}
	}
	return err
}

// awayError: a node could not be asked, which says nothing of a backup.
type awayError struct{ error }

// compareHistory says whether the leaves in a folder are the first ones of the region's log,
// which the node at url serves and its checkpoint proves.
func compareHistory(ctx context.Context, i node.Inspection, url, caFile string) (string, error) {
	client, err := regionClient(url, caFile)
	if err != nil {
		return "", err
	}
	s, err := client.Snapshot(ctx)
	if err != nil {
		return "", awayError{fmt.Errorf("the node at %s does not answer, or has no checkpoint yet (%s)", url, detailOf(err))}
	}
	if _, _, err := s.Replay(i.Region); err != nil {
		return "", err
	}
	if uint64(len(s.Leaves)) < i.Leaves {
		return "", fmt.Errorf("the region at %s has %d leaves under its checkpoint, the backup has %d", url, len(s.Leaves), i.Leaves)
	}
	tree := tlog.NewTree()
	for _, leaf := range s.Leaves[:i.Leaves] {
		if _, err := tree.Append(tlog.LeafHash(leaf)); err != nil {
			return "", err
		}
	}
	if tree.Root().String() != i.Root {
		return "", errors.New("THE REGION HAS OTHER LEAVES THAN THE BACKUP: one of the two was tampered with")
	}
	return fmt.Sprintf("its %d leaves are the first of the %d that the region has", i.Leaves, len(s.Leaves)), nil
}

// readSource reads what node recover is given: a folder, a file, or the address of a node.
func readSource(ctx context.Context, from string, settings outbound.Settings) (node.Source, error) {
	s := node.Source{Name: from}
	if strings.Contains(from, "://") {
		client, err := regionClientBy(from, settings)
		if err != nil {
			return s, err
		}
		snapshot, err := client.Snapshot(ctx)
		if err != nil {
			return s, err
		}
		var out bytes.Buffer
		_, err = snapshot.WriteTo(&out)
		s.Snapshot = out.Bytes()
		return s, err
	}
	info, err := os.Stat(from)
	switch {
	case err != nil:
		return s, err
	case info.IsDir():
		s.Folder = from
		return s, nil
	}
	s.Snapshot, err = os.ReadFile(from)
	return s, err
}
