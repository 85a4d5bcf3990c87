# A signal is sent, queued, suppressed.
# program: signals
handle SIGALRM nostop noprint
handle SIGUSR1 stop print pass
handle SIGUSR2 stop print pass
break ready
run
tbreak on_usr1
signal SIGUSR1
print usr1
finish
continue
signal 0
print usr1
queue-signal SIGUSR1
continue
print usr1
continue
print usr2
kill
