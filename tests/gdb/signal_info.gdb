# What a signal says of its origin is read, and changed before the program sees it.
# program: signals
handle SIGALRM nostop noprint
handle SIGUSR1 nostop noprint
run
print $_siginfo.si_signo
print $_siginfo.si_code
print $_siginfo._sifields._rt.si_sigval.sival_int
set var $_siginfo._sifields._rt.si_sigval.sival_int = 43
break ready
continue
print usr2
print last_value
print last_code
continue
print $_siginfo.si_signo
print $_siginfo._sifields._sigfault.si_addr
ptype $_siginfo._sifields._sigfault
set var $_siginfo._sifields._sigfault.si_addr = (void *)0x4560
continue
