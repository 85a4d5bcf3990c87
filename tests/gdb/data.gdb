# Data in all forms; variables are set, also where the program itself cannot write.
# program: basics
break loop
run
print origin
print &origin
ptype origin
print origin.name
set var origin.x = 77
print origin
set var counter = 1000
print constant
set var constant = 8
print constant
x/4i $pc
x/s origin.name
x/2dw &origin
x/8xb &origin
print/x (char[4])*(int*)add
set var *(unsigned char *)add = 0xf3
print/x *(unsigned char *)add
set var *(unsigned char *)add = 0x55
print n
set var n = 2
finish
print counter
output counter
printf "%s %d\n", origin.name, origin.y
print $_siginfo.si_signo
info line add
find &origin, +sizeof(origin), 'o', 'r', 'i', 'g'
find /b &origin, +sizeof(origin), 0xee
compare-sections .text
print *(int *)0x10
x/2xb 0
dump binary value /dev/null origin
continue
