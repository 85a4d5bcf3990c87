# A function that is called from gdb stops at a breakpoint, and gdb takes it back.
# program: basics
break main
run
break add
print twice(3)
bt
finish
delete 2
continue
