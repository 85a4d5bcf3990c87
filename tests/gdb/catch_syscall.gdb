# System calls are caught by name, by number, and all.
# program: forks
break main
run
catch syscall wait4
continue
print $rax
continue
print (int)$rax > 0
delete
tbreak in_parent
continue
catch syscall 231
continue
info breakpoints
delete
kill
break main
run
delete
catch syscall
continue
continue
kill
