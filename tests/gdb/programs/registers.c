/* Values in every kind of register. */
#include <stdio.h>

long double seen_stack;
double seen_vector;
long seen_general;

void look(void)
{
}

int main(void)
{
	double vector[2] = { 1.5, -2.25 };
	__asm__ volatile(
		"mov $0x1234, %%rbx\n\t"
		"mov $42, %%r12\n\t"
		"movupd %0, %%xmm3\n\t"
		"fld1\n\t"
		"fldpi\n\t"
		".globl here\n"
		"here:\n\t"
		"nop\n\t"
		"mov %%r12, seen_general\n\t"
		"movsd %%xmm3, seen_vector\n\t"
		"fstpt seen_stack\n\t"
		"fstp %%st(0)\n\t"
		: : "m"(vector) : "rbx", "r12", "xmm3", "memory");
	look();
	return 0;
}
