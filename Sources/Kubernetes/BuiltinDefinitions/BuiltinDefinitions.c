#include "BuiltinDefinitions.h"

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wc23-extensions"
static const unsigned char text[] = {
#embed "definitions.json"
};
#pragma clang diagnostic pop

const unsigned char *builtin_definitions_text(void) { return text; }
size_t builtin_definitions_length(void) { return sizeof text; }
