# Stepping: into, over, by instruction, out, to a line; returning and calling.
# program: basics
break twice
run one two
step
step
bt
finish
next
next
info line
stepi
nexti
tbreak loop
continue
next
next
next
next
until
info locals
advance 44
info locals
finish
tbreak factorial
continue
tbreak factorial if n == 3
continue
return 100
bt
next
tbreak mean
continue
finish
print third
print twice(20)
print mean(1, 4)
print $_exitcode
print factorial(6) + counter
call add(1, 1)
print counter
kill
