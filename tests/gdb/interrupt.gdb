# ^C stops a program that runs for ever, wherever it is.
# program: threads
break everybody_is_here
run
delete
shell (sleep 0.3; kill -INT $PPID) &
continue
info threads
thread 2
frame function worker
set var go_on = 1
continue
