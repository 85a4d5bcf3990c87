# Both sides of a vfork, which have one memory until the child executes a program.
# program: forks
set detach-on-fork off
catch vfork
run vfork_exec
break in_new_program
info inferiors
set follow-fork-mode child
continue
print $_inferior
info inferiors
continue
inferior 1
tbreak in_parent
continue
print status
continue
