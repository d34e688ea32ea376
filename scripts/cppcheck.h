/* cppcheck.h — macros of libraries that are loops, for scripts/check; never compiled. */
#define json_array_foreach(array, index, value) for ((index) = 0; ((value) = json_array_get((array), (index))); (index)++)
#define json_object_foreach(object, key, value) for ((key) = first_key(object); ((value) = json_object_get((object), (key)));)
