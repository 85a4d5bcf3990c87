# What gdb is told to do with signals: stop, print, pass; a signal sent and one taken away.
# program: signals
handle SIGALRM nostop noprint pass
handle SIGUSR1 nostop print pass
handle SIGUSR2 stop print nopass
break ready
run
continue
continue
print usr1
print usr2
print alarms
signal SIGUSR1
print usr1
signal SIGUSR2
