// What Go programs do: goroutines, channels, timers, programs of others, signals, files, sockets.
package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"runtime/debug"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

func equal(got, want any) {
	if !reflect.DeepEqual(got, want) {
		_, _, line, _ := runtime.Caller(1)
		panic(fmt.Sprintf("line %d: %v, not %v", line, got, want))
	}
}

func good(err error) {
	if err != nil {
		_, _, line, _ := runtime.Caller(1)
		panic(fmt.Sprintf("line %d: %v", line, err))
	}
}

func data() {
	text, err := json.Marshal(map[string]any{"b": []int{1, 2}, "a": "ü"})
	good(err)
	equal(string(text), `{"a":"ü","b":[1,2]}`)
	equal(new(big.Int).Exp(big.NewInt(3), big.NewInt(100), nil).String(), "515377520732011331036461129765621272702107522001")
	equal(regexp.MustCompile(`(\w)(\d)`).ReplaceAllString("a1 b2", "$2$1"), "1a 2b")
	words := strings.Fields("the quick brown fox")
	sort.Strings(words)
	equal(words, []string{"brown", "fox", "quick", "the"})
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	writer.Write(bytes.Repeat([]byte("abc"), 10000))
	writer.Close()
	reader, err := gzip.NewReader(&packed)
	good(err)
	unpacked, err := io.ReadAll(reader)
	good(err)
	equal(len(unpacked), 30000)
}

func goroutines() {
	var group sync.WaitGroup
	var mutex sync.Mutex
	total, counter := 0, int64(0)
	for i := 0; i < 2000; i++ {
		group.Add(1)
		go func(n int) {
			defer group.Done()
			atomic.AddInt64(&counter, 1)
			runtime.Gosched()
			mutex.Lock()
			total += n
			mutex.Unlock()
		}(i)
	}
	group.Wait()
	equal(total, 1999000)
	equal(counter, int64(2000))
	// A chain of goroutines, each waiting for the next.
	first := make(chan int)
	last := first
	for i := 0; i < 5000; i++ {
		next := make(chan int)
		go func(in, out chan int) { out <- 1 + <-in }(last, next)
		last = next
	}
	first <- 0
	equal(<-last, 5000)
	// What spins does not keep the others from running.
	var stop atomic.Bool
	go func() {
		for !stop.Load() {
		}
	}()
	time.Sleep(20 * time.Millisecond)
	stop.Store(true)
}

func threads() {
	// Each of these has a thread of the system to itself.
	var group sync.WaitGroup
	ids := make(chan int, 20)
	hold := make(chan bool)
	for i := 0; i < 20; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			runtime.LockOSThread()
			ids <- syscall.Gettid()
			<-hold
		}()
	}
	seen := map[int]bool{}
	for i := 0; i < 20; i++ {
		seen[<-ids] = true
	}
	close(hold)
	group.Wait()
	equal(len(seen), 20)
}

func timers() {
	start := time.Now()
	ticker := time.NewTicker(5 * time.Millisecond)
	for i := 0; i < 4; i++ {
		<-ticker.C
	}
	ticker.Stop()
	equal(time.Since(start) >= 20*time.Millisecond, true)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	select {
	case <-ctx.Done():
		equal(ctx.Err(), context.DeadlineExceeded)
	case <-time.After(time.Minute):
		panic("no deadline")
	}
	order := make(chan int, 3)
	for _, n := range []int{3, 1, 2} {
		n := n
		time.AfterFunc(time.Duration(n)*20*time.Millisecond, func() { order <- n })
	}
	equal([]int{<-order, <-order, <-order}, []int{1, 2, 3})
}

func channels() {
	jobs, results := make(chan int), make(chan int)
	var group sync.WaitGroup
	for i := 0; i < 8; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for job := range jobs {
				results <- job * job
			}
		}()
	}
	go func() {
		for i := 0; i < 500; i++ {
			jobs <- i
		}
		close(jobs)
		group.Wait()
		close(results)
	}()
	sum := 0
	for result := range results {
		sum += result
	}
	equal(sum, 41541750)
	var once sync.Once
	times := 0
	for i := 0; i < 3; i++ {
		once.Do(func() { times++ })
	}
	equal(times, 1)
	condition := sync.NewCond(&sync.Mutex{})
	ready := false
	go func() {
		condition.L.Lock()
		ready = true
		condition.L.Unlock()
		condition.Broadcast()
	}()
	condition.L.Lock()
	for !ready {
		condition.Wait()
	}
	condition.L.Unlock()
}

func recovered(function func()) (what any) {
	defer func() { what = recover() }()
	function()
	return nil
}

func panics() {
	equal(recovered(func() { panic("words") }), "words")
	var pointer *struct{ field [100]int }
	err := recovered(func() { fmt.Sprint(pointer.field[50]) }).(runtime.Error)
	equal(err.Error(), "runtime error: invalid memory address or nil pointer dereference")
	zero := 0
	err = recovered(func() { fmt.Sprint(1 / zero) }).(runtime.Error)
	equal(err.Error(), "runtime error: integer divide by zero")
	err = recovered(func() { fmt.Sprint([]int{1}[zero+5]) }).(runtime.Error)
	equal(err.Error(), "runtime error: index out of range [5] with length 1")
	debug.SetPanicOnFault(true)
	equal(errors.Is(fs.ErrNotExist, os.ErrNotExist), true)
}

func memory() {
	var kept [][]byte
	for round := 0; round < 20; round++ {
		for i := 0; i < 200; i++ {
			block := make([]byte, 10000)
			block[i] = byte(i)
			if i%50 == 0 {
				kept = append(kept, block)
			}
		}
		runtime.GC()
	}
	equal(kept[1][50], byte(50))
	equal(len(kept), 80)
	var recurse func(n int) int
	recurse = func(n int) int {
		var frame [100]int
		frame[n%100] = n
		if n == 0 {
			return 0
		}
		return recurse(n-1) + frame[n%100] - n + 1
	}
	equal(recurse(20000), 20000)
	debug.FreeOSMemory()
}

func programs() {
	out, err := exec.Command("sh", "-c", "echo $0 $A; exit 3", "arg").Output()
	var failed *exec.ExitError
	equal(errors.As(err, &failed), true)
	equal(failed.ExitCode(), 3)
	equal(string(out), "arg\n")
	cat := exec.Command("cat")
	cat.Stdin = bytes.NewReader(bytes.Repeat([]byte("0123456789"), 30000))
	out, err = cat.Output()
	good(err)
	equal(len(out), 300000)
	_, err = exec.LookPath("no-such-program")
	equal(errors.Is(err, exec.ErrNotFound), true)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer cancel()
	err = exec.CommandContext(ctx, "sleep", "10").Run()
	equal(err.Error(), "signal: killed")
	var group sync.WaitGroup
	for i := 0; i < 10; i++ {
		group.Add(1)
		go func(n int) {
			defer group.Done()
			err := exec.Command("sh", "-c", fmt.Sprintf("exit %d", n)).Run()
			if n == 0 {
				good(err)
			} else {
				equal(err.(*exec.ExitError).ExitCode(), n)
			}
		}(i)
	}
	group.Wait()
	pipe := exec.Command("sh", "-c", "read line; echo got $line; read line; echo got $line")
	in, err := pipe.StdinPipe()
	good(err)
	output, err := pipe.StdoutPipe()
	good(err)
	good(pipe.Start())
	lines := bufio.NewScanner(output)
	for _, word := range []string{"one", "two"} {
		fmt.Fprintln(in, word)
		lines.Scan()
		equal(lines.Text(), "got "+word)
	}
	in.Close()
	good(pipe.Wait())
}

func signals() {
	came := make(chan os.Signal, 10)
	signal.Notify(came, syscall.SIGUSR1, syscall.SIGTERM)
	for _, number := range []syscall.Signal{syscall.SIGUSR1, syscall.SIGTERM, syscall.SIGUSR1} {
		good(syscall.Kill(os.Getpid(), number))
		equal(<-came, os.Signal(number))
	}
	signal.Stop(came)
	signal.Ignore(syscall.SIGUSR2)
	good(syscall.Kill(os.Getpid(), syscall.SIGUSR2))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	good(syscall.Kill(os.Getpid(), syscall.SIGINT))
	<-ctx.Done()
	child := exec.Command("sleep", "10")
	good(child.Start())
	good(child.Process.Signal(syscall.SIGTERM))
	equal(child.Wait().Error(), "signal: terminated")
}

func files() {
	folder, err := os.MkdirTemp("", "everyday")
	good(err)
	defer os.RemoveAll(folder)
	good(os.MkdirAll(filepath.Join(folder, "a", "b"), 0o755))
	path := filepath.Join(folder, "a", "file")
	good(os.WriteFile(path, []byte("one\ntwo\n"), 0o640))
	file, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND, 0)
	good(err)
	fmt.Fprintln(file, "three")
	info, err := file.Stat()
	good(err)
	equal(info.Size(), int64(14))
	equal(info.Mode().String(), "-rw-r-----")
	_, err = file.Seek(4, io.SeekStart)
	good(err)
	rest, err := io.ReadAll(file)
	good(err)
	equal(string(rest), "two\nthree\n")
	good(file.Close())
	good(os.Symlink("file", filepath.Join(folder, "a", "link")))
	good(os.Rename(filepath.Join(folder, "a", "b"), filepath.Join(folder, "c")))
	var names []string
	good(filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		names = append(names, entry.Name())
		return err
	}))
	equal(names[1:], []string{"a", "file", "link", "c"})
	_, err = os.Open(filepath.Join(folder, "nothing"))
	equal(errors.Is(err, fs.ErrNotExist), true)
	_, err = os.ReadFile(folder)
	equal(errors.Is(err, syscall.EISDIR), true)
}

func sockets() {
	folder, err := os.MkdirTemp("", "everyday")
	good(err)
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "socket")
	server, err := net.Listen("unix", path)
	good(err)
	go func() {
		for {
			connection, err := server.Accept()
			if err != nil {
				return
			}
			go func() {
				defer connection.Close()
				lines := bufio.NewScanner(connection)
				for lines.Scan() {
					fmt.Fprintln(connection, strings.ToUpper(lines.Text()))
				}
			}()
		}
	}()
	var group sync.WaitGroup
	for i := 0; i < 20; i++ {
		group.Add(1)
		go func(n int) {
			defer group.Done()
			connection, err := net.Dial("unix", path)
			good(err)
			defer connection.Close()
			fmt.Fprintf(connection, "word %d\n", n)
			line, err := bufio.NewReader(connection).ReadString('\n')
			good(err)
			equal(line, fmt.Sprintf("WORD %d\n", n))
		}(i)
	}
	group.Wait()
	late, err := net.Dial("unix", path)
	good(err)
	good(late.SetReadDeadline(time.Now().Add(10 * time.Millisecond)))
	_, err = late.Read(make([]byte, 1))
	equal(errors.Is(err, os.ErrDeadlineExceeded), true)
	late.Close()
	server.Close()
	_, err = net.Dial("unix", path)
	equal(err != nil, true)
	reader, writer, err := os.Pipe()
	good(err)
	go func() {
		time.Sleep(5 * time.Millisecond)
		writer.WriteString("late")
		writer.Close()
	}()
	text, err := io.ReadAll(reader)
	good(err)
	equal(string(text), "late")
}

func main() {
	fmt.Println("hello, world")
	checks := []struct {
		name  string
		check func()
	}{
		{"data", data}, {"goroutines", goroutines}, {"threads", threads}, {"timers", timers}, {"channels", channels},
		{"panics", panics}, {"memory", memory}, {"programs", programs}, {"signals", signals}, {"files", files}, {"sockets", sockets},
	}
	failed := 0
	for _, it := range checks {
		if what := recovered(it.check); what != nil {
			failed++
			fmt.Printf("%s: %v\n", it.name, what)
		} else {
			fmt.Printf("%s: ok\n", it.name)
		}
	}
	fmt.Printf("%d checks, %d failed\n", len(checks), failed)
	os.Exit(failed)
}
