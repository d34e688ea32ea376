#include <arpa/inet.h>

#include "who/internal.h"

size_t who_addr_text(const struct who_addr *a, char out[static INET6_ADDRSTRLEN])
{
	if ((a->family != AF_INET && a->family != AF_INET6) || !inet_ntop(a->family, a->addr, out, INET6_ADDRSTRLEN)) {
		out[0] = '\0';
		return 0;
	}
	return strlen(out);
}

bool addr_from_sockaddr(const void *sa, size_t n, struct who_addr *ret)
{
	struct who_addr a = { 0 };
	struct sockaddr_in in4;
	struct sockaddr_in6 in6;
	sa_family_t family;

	if (n < sizeof(family))
		return false;
	memcpy(&family, sa, sizeof(family));
	if (family == AF_INET && n >= sizeof(in4)) {
		memcpy(&in4, sa, sizeof(in4));
		a.family = AF_INET;
		a.port = ntohs(in4.sin_port);
		memcpy(a.addr, &in4.sin_addr, 4);
	} else if (family == AF_INET6 && n >= sizeof(in6)) {
		memcpy(&in6, sa, sizeof(in6));
		a.port = ntohs(in6.sin6_port);
		if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr)) {
			a.family = AF_INET;
			memcpy(a.addr, &in6.sin6_addr.s6_addr[12], 4);
		} else {
			a.family = AF_INET6;
			memcpy(a.addr, &in6.sin6_addr, 16);
		}
	} else {
		return false;
	}
	*ret = a;
	return true;
}

bool addr_same_host(const struct who_addr *a, const struct who_addr *b)
{
	return a->family == b->family && memcmp(a->addr, b->addr, sizeof(a->addr)) == 0;
}
