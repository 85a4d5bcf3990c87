# gdb goes with the child of a vfork into the program that it executes.
# program: forks
set follow-fork-mode child
break in_new_program
run vfork_exec
bt
continue
