# Debian's ltrace: chosen calls, all of them, with system calls, across a fork, counted.
# image: --file /usr/bin/ltrace --file /etc/ltrace.conf
# programs: library_calls

# What ltrace has in its file, ended by the program's status. What begins a call and what ends it are joined, tasks come one after the other.
calls() {
	echo "== $*"
	ltrace -o log "$@" >output
	echo "status $?, output: $(tr '\n' ' ' <output)"
	awk '{
		task = "only"
		if (match($0, /^[0-9]+ /)) {
			task = substr($0, 1, RLENGTH)
			$0 = substr($0, RLENGTH + 1)
		}
		if (!(task in text)) order[++tasks] = task
		if (sub(/ *<(unfinished|no return) \.\.\.>$/, "")) { held[task] = $0; text[task] = text[task] ""; next }
		if (match($0, /^<\.\.\. [a-zA-Z0-9_]+ resumed> /)) { $0 = held[task] substr($0, RLENGTH + 1); held[task] = "" }
		text[task] = text[task] $0 "\n"
	}
	END { for (i = 1; i <= tasks; i++) printf "task %d\n%s", i, text[order[i]] }' log |
		sed 's/\(fork(*)\|wait(.*)\|gettid(.*)\|getpid()\)\( *= \)[0-9a-fx]*$/\1\2PID/; s/\(raise\|atoi\|gettid\|tgkill\)(.*)/\1(...)/'
}

calls -e puts "$D/library_calls"
calls -e 'puts+free@library_calls' "$D/library_calls"
calls -e '@libc.so*-*' "$D/library_calls" | grep -v ^task
calls "$D/library_calls"
calls -i -n 2 "$D/library_calls"
calls -f "$D/library_calls" fork
calls -b -x main "$D/library_calls" fork

# From main on: what a libc does before depends on the kernel.
calls -S "$D/library_calls" | sed -n '/strdup/,$p' | grep -v getrandom

ltrace -c "$D/library_calls" 2>&1 | awk '/^[ 0-9.]+ [a-z]/ { print $4, $5 }' | sort
ltrace "$D/nothing"; echo "status $?"

# Attached to while it sleeps; it ends by itself.
"$D/library_calls" fork >output & sleep 0.1; ltrace -o log -p $!; wait $!; echo "status $?"; tail -n 1 log | cut -d ' ' -f 2-
