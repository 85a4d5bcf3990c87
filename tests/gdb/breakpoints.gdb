# Breakpoints: plain, temporary, conditional, with an ignore count, disabled, deleted.
# program: basics
break add
tbreak twice
run
continue
info breakpoints
delete 1
break add if a == 4
continue
print a
bt 1
delete
break loop
continue
break add
ignore 5 7
continue
print a
disable 5
break factorial if n == 1
continue
bt
info breakpoints
delete
continue
