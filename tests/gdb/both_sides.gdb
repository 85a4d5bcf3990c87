# Both sides of a fork are debugged: the parent waits until it is its turn.
# program: forks
set detach-on-fork off
set follow-fork-mode child
break in_child
break in_parent
run
info inferiors
print global
bt
continue
inferior 1
continue
print global
print status
continue
