# Runs each program of the list under strace, in a folder of its own. What is between the marks is the filter's.
run() {
	name=$1
	shift
	mkdir -p /tmp/traces /tmp/work
	cd /tmp/work
	cp /strace/tree/one copy
	strace -ff -o /tmp/traces/t "$@" </dev/null >/tmp/output 2>&1
	echo "@@ begin $name $?"
	cat /tmp/output
	for trace in /tmp/traces/*; do
		echo "@@ process ${trace##*.}"
		cat $trace
	done
	echo "@@ end"
	cd /
	rm -rf /tmp/traces /tmp/work
}

# Runs one command of the options' list. What it shows is the filter's.
shown() {
	mkdir -p /tmp/work
	cd /tmp/work
	(eval "$2") </dev/null >/tmp/output 2>&1
	echo "@@ begin $1 $?"
	cat /tmp/output
	echo "@@ end"
	cd /
	rm -rf /tmp/work
}
