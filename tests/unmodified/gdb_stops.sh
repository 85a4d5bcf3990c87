# Debian's gdb in the machine: what a program is stopped by.
# image: --file /usr/bin/gdb --file /usr/share/gdb --file /usr/lib/python3.11 --file /lib/x86_64-linux-gnu/libthread_db.so.1
# image: --file /usr/lib/locale/C.utf8 --file /usr/lib/x86_64-linux-gnu/gconv/UTF-32.so --file /usr/lib/x86_64-linux-gnu/gconv/gconv-modules.cache
# programs: functions forks threads signals

debug() {
	echo "== $1"; shift
	gdb -q -nx -batch -iex 'set debug-file-directory /nowhere' -iex 'set debuginfod enabled off' -iex 'set width 0' -iex 'set confirm off' \
		-ex 'set startup-with-shell off' "$@"
	echo "status $?"
}

debug 'watchpoints' -ex 'watch sum' -ex 'rwatch sum' -ex run -ex continue -ex 'info watchpoints' -ex 'delete' \
	-ex 'awatch sum if sum == 4' -ex continue -ex bt -ex 'info registers rip eflags' -ex kill "$D/functions"
debug 'system calls' -ex 'catch syscall wait4 exit_group' -ex run -ex bt -ex continue -ex continue -ex delete -ex continue "$D/forks"
debug 'steps' -ex 'break main' -ex run -ex next -ex 'break five_times' -ex continue -ex stepi -ex 'print $rip == $pc' -ex finish -ex step \
	-ex 'delete' -ex 'tbreak by_the_child' -ex 'set follow-fork-mode child' -ex continue -ex until -ex 'call not_at_all()' -ex 'print sum' \
	-ex 'return' -ex 'continue' "$D/functions"
debug 'a crash' -ex 'run 1 2' -ex bt -ex 'print $_siginfo.si_signo' -ex 'print $_siginfo._sifields._sigfault.si_addr' -ex 'info registers rip' \
	-ex 'x/i $pc' -ex 'continue' "$D/functions"
