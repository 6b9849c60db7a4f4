#ifndef BUILTIN_DEFINITIONS_H
#define BUILTIN_DEFINITIONS_H

#include <stddef.h>

/// The definitions and resources of Kubernetes' own API groups as one JSON text; generate.py says how it is laid out.
/// It lives as long as the program.
const unsigned char *_Nonnull builtin_definitions_text(void);
size_t builtin_definitions_length(void);

#endif
