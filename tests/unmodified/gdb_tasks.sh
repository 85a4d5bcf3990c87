# Debian's gdb in the machine: threads, processes, programs that replace others, core files, attaching.
# image: --file /usr/bin/gdb --file /usr/share/gdb --file /usr/lib/python3.11 --file /lib/x86_64-linux-gnu/libthread_db.so.1
# image: --file /usr/lib/locale/C.utf8 --file /usr/lib/x86_64-linux-gnu/gconv/UTF-32.so --file /usr/lib/x86_64-linux-gnu/gconv/gconv-modules.cache
# programs: forks threads waiter locals

debug() {
	echo "== $1"; shift
	gdb -q -nx -batch -iex 'set debug-file-directory /nowhere' -iex 'set debuginfod enabled off' -iex 'set width 0' -iex 'set confirm off' \
		-ex 'set startup-with-shell off' "$@"
	echo "status $?"
}
STACKS='thread apply all -ascending bt -frame-arguments none'

debug 'the child' -ex 'set follow-fork-mode child' -ex 'break in_child' -ex run -ex bt -ex 'info inferiors' -ex continue "$D/forks"
debug 'both sides' -ex 'set detach-on-fork off' -ex 'break in_child' -ex 'break in_parent' -ex 'set schedule-multiple on' -ex run \
	-ex 'info inferiors' -ex continue -ex 'info inferiors' -ex bt -ex continue "$D/forks"
debug 'a new program' -ex 'set follow-fork-mode child' -ex 'catch exec' -ex 'run vforkexec' -ex 'break in_new_program' -ex continue -ex bt \
	-ex continue "$D/forks"
debug 'threads' -ex 'break everybody_is_here' -ex run -ex 'info threads' -ex "$STACKS" -ex 'thread 2' -ex 'print work[2] > 0' \
	-ex 'set scheduler-locking on' -ex 'stepi' -ex 'set scheduler-locking off' -ex 'print go_on = 1' -ex delete -ex continue "$D/threads" |
	grep -v 'rip *0x'
debug 'variables of threads' -ex 'break everybody_is_here' -ex run -ex 'thread apply all -ascending -q print mine' \
	-ex 'thread apply all -ascending -q print (int)errno' -ex kill "$D/locals"
debug 'a core file' -ex 'break everybody_is_here' -ex run -ex 'gcore core' -ex kill "$D/threads"
debug 'and in it' -ex 'info threads' -ex "$STACKS" -ex 'print work[1] >= 50' "$D/threads" core

waiting() {
	"$D/waiter" >output & waiter=$!
	until grep -qs waiting output; do sleep 0.05; done
}
waiting
debug 'attached' -p $waiter -ex 'info threads' -ex "$STACKS" -ex 'print go_on' -ex detach
debug 'again' -p $waiter -ex 'handle SIGUSR1 stop print nopass' -ex "shell kill -USR1 $waiter" -ex continue -ex 'print $_siginfo.si_signo' \
	-ex 'print go_on = 1' -ex detach
wait $waiter; echo "status $?"
debug "nobody" -p $waiter
