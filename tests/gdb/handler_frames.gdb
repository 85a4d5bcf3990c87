# The stack through a signal handler; stepping into one and out of it.
# program: signals
handle SIGALRM nostop noprint
handle SIGUSR2 nostop noprint
break on_usr1
run
continue
bt -frame-info short-location 2
frame function main
info frame
finish
delete
tbreak ready
continue
continue
print $_siginfo.si_signo
stepi
bt 1
bt -frame-info short-location -2
kill
