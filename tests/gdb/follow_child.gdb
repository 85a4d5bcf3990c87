# gdb goes with the child of a fork, and lets the parent go.
# program: forks
set follow-fork-mode child
break in_child
break in_parent
run
print global
bt
info inferiors
continue
