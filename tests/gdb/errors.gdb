# What cannot be done is refused and harms nothing.
# program: basics
attach 999999
set remote exec-file /no/such/program
run
eval "set remote exec-file %s", $program
break main
run
print *(int *)0
set var *(int *)0 = 1
break *0x10
continue
delete 2
set var $rip = 0
continue
bt 1
kill
run
delete
continue
