# Debian's gdbserver and gdb in the machine, by way of a pipe.
# image: --file /usr/bin/gdbserver --file /usr/bin/gdb --file /usr/share/gdb --file /usr/lib/python3.11
# image: --file /lib/x86_64-linux-gnu/libthread_db.so.1
# image: --file /usr/lib/locale/C.utf8 --file /usr/lib/x86_64-linux-gnu/gconv/UTF-32.so --file /usr/lib/x86_64-linux-gnu/gconv/gconv-modules.cache
# programs: functions forks threads waiter locals

# The server's own words are left out: they come on another way, earlier or later.
# One that was connected to as extended would wait for ever for another debugger.
debug() {
	echo "== $1"; server=$2; target=${2%% *}; shift 2
	[ "$target" = --multi ] && target=extended-remote || target=remote
	gdb -q -nx -batch -iex 'set debug-file-directory /nowhere' -iex 'set debuginfod enabled off' -iex 'set width 0' -iex 'set confirm off' \
		-iex 'set sysroot /' -iex "set remotetimeout 60" -ex "target $target | /usr/bin/gdbserver $server 2>/dev/null" "$@"
	echo "status $?"
}
STACKS='thread apply all -ascending bt -frame-arguments none'

debug 'steps' "- $D/functions" -ex 'break five_times' -ex continue -ex bt -ex 'watch sum' -ex continue -ex 'info watchpoints' -ex stepi -ex delete \
	-ex finish -ex 'next' -ex 'info registers eflags' -ex 'tbreak by_the_child' -ex 'set follow-fork-mode child' -ex continue -ex bt \
	-ex 'call not_at_all()' -ex 'print sum' -ex continue "$D/functions"
debug 'both sides' "- $D/forks" -ex 'set detach-on-fork off' -ex 'set schedule-multiple on' -ex 'break in_child' -ex 'break in_parent' \
	-ex continue -ex 'info inferiors' -ex continue -ex 'bt' -ex continue "$D/forks"
debug 'calls' "- $D/forks" -ex 'catch syscall wait4' -ex continue -ex continue -ex delete -ex continue "$D/forks"
debug 'threads' "- $D/threads" -ex 'break everybody_is_here' -ex continue -ex 'info threads' -ex "$STACKS" -ex 'print go_on = 1' -ex delete \
	-ex continue "$D/threads"
debug 'variables of threads' "- $D/locals" -ex 'break everybody_is_here' -ex continue -ex 'thread apply all -ascending -q print mine' -ex kill \
	"$D/locals"
debug 'what to run' '--multi -' -ex "set remote exec-file $D/functions" -ex 'run 1 2' -ex bt -ex 'print $_siginfo.si_signo' -ex kill \
	-ex 'monitor exit' "$D/functions"

"$D/waiter" >output & waiter=$!
until grep -qs waiting output; do sleep 0.05; done
debug 'attached' "--attach - $waiter" -ex 'info threads' -ex 'print go_on = 1' -ex detach "$D/waiter"
wait $waiter; echo "status $?"
