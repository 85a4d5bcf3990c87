# gdb dies without a word, with breakpoints in a program that is stopped.
# program: waits
# oracle: none
eval "set args %s/lost.go %s/lost.told", $there, $there
break turn
run
continue
print turns
shell kill -KILL $PPID
