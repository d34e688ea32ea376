#include <errno.h>
#include "document/fingerprint.h"
#include "base/hash.h"
void normalised_free(struct normalised *x){free(x->c);free(x->at);*x=(struct normalised){0};}
void fingerprints_free(struct fingerprints *x){free(x->f);*x=(struct fingerprints){0};}
int normalise(struct normalised *x, str s, uint32_t base){
 if(x->n+s.n+1>x->cap){x->cap=(x->n+s.n+1)*2;x->c=realloc(x->c,4*x->cap);x->at=realloc(x->at,4*x->cap);}
 for(size_t i=0;i<s.n;){unsigned char c=(unsigned char)s.p[i];uint32_t u=c;size_t k=1;if(c>=0xf0){u=c&7;k=4;}else if(c>=0xe0){u=c&15;k=3;}else if(c>=0xc0){u=c&31;k=2;}
  for(size_t j=1;j<k;j++)u=u<<6|((unsigned char)s.p[i+j]&63);
  if(u>='A'&&u<='Z')u+=32;
  bool keep=u>=0x80?!(u>=0x3000&&u<=0x3020):(u>='a'&&u<='z')||(u>='0'&&u<='9');
  if(keep){x->c[x->n]=u;x->at[x->n++]=base+(uint32_t)i;}
  i+=k;}
 x->at[x->n]=base+(uint32_t)s.n;return 0;}
int fingerprint(const uint8_t key[static 16], const struct normalised *t, unsigned k, unsigned w, struct fingerprints *ret){
 ret->n=0; if(t->n<k)return 0; size_t m=t->n-k+1; uint64_t*h=malloc(8*m);
 for(size_t i=0;i<m;i++)h[i]=siphash13(key,t->c+i,4*k)&0xffffffffffffull;
 if(ret->cap<m){ret->f=realloc(ret->f,m*sizeof*ret->f);ret->cap=m;}
 size_t last=(size_t)-1; size_t nw=m>=w?m-w+1:1;
 for(size_t i=0;i<nw;i++){size_t best=i;for(size_t j=i;j<i+w&&j<m;j++)if(h[j]<=h[best])best=j; if(best!=last){last=best;ret->f[ret->n++]=(struct fingerprint){h[best],(uint32_t)best};}}
 free(h);return 0;}
