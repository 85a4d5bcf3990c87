# gdb disconnects and comes back: the program is where it was.
# program: basics
# oracle: none
break factorial if n == 3
run
disconnect
info threads
connect
bt
print n
finish
delete
continue
