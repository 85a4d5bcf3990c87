# Signals are caught one by one.
# program: signals
break ready
run
delete
catch signal SIGUSR1
continue
print $_siginfo.si_signo
continue
info signals SIGUSR2
handle SIGALRM nostop noprint
continue
continue
