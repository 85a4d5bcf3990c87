# Threads step over a breakpoint that others run into at the same time: nobody misses it.
# program: threads
python
class Count(gdb.Breakpoint):
    hits = 0
    def stop(self):
        self.hits += 1
        return False
count = Count("at_work")
end
break everybody_is_here
run
python print(count.hits)
delete
set var go_on = 1
continue
