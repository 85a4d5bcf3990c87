/* Functions to stop in, step through, finish, return from and call. */
#include <stdio.h>
#include <string.h>

struct point {
	int x, y;
	char name[8];
};

int counter;
const int constant = 7;
struct point origin = { 1, 2, "origin" };

int add(int a, int b)
{
	int sum = a + b;
	counter++;
	return sum;
}

int twice(int n)
{
	int once = add(n, 0);
	return add(once, n);
}

int factorial(int n)
{
	if (n < 2)
		return 1;
	return n * factorial(n - 1);
}

double mean(double a, double b)
{
	return (a + b) / 2;
}

int loop(int n)
{
	int total = 0;
	for (int i = 0; i < n; i++)
		total += add(i, 1);
	return total;
}

int main(int argc, char **argv)
{
	int first = twice(argc);
	int second = loop(10);
	int third = factorial(5);
	double middle = mean(1.5, 2.5);
	for (int i = 1; i < argc; i++)
		printf("%s\n", argv[i]);
	return first + second + third + (int)middle > 0 ? 3 : 4;
}
