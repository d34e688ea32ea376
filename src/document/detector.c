/* Names of detectors, as in the contract. */
#include "document/finding.h"

static const char *const detectors[DET_MAX_] = {
	[DET_PAYMENT_CARD] = "payment_card", [DET_IBAN] = "iban", [DET_EMAIL] = "email", [DET_PHONE] = "phone", [DET_MY_NUMBER] = "my_number",
	[DET_JP_CORPORATE_NUMBER] = "jp_corporate_number", [DET_JP_PENSION_NUMBER] = "jp_pension_number",
	[DET_JP_DRIVERS_LICENSE] = "jp_drivers_license", [DET_PASSPORT] = "passport", [DET_BANK_ACCOUNT_JP] = "bank_account_jp",
	[DET_POSTAL_CODE_JP] = "postal_code_jp", [DET_ADDRESS_JP] = "address_jp", [DET_US_SSN] = "us_ssn", [DET_EU_VAT] = "eu_vat",
	[DET_IP_ADDRESS] = "ip_address", [DET_BIRTH_DATE] = "birth_date", [DET_SECRET_AWS] = "secret_aws", [DET_SECRET_GITHUB] = "secret_github",
	[DET_SECRET_NPM] = "secret_npm", [DET_SECRET_SLACK] = "secret_slack", [DET_SECRET_STRIPE] = "secret_stripe",
	[DET_SECRET_GCP] = "secret_gcp",
	[DET_SECRET_JWT] = "secret_jwt", [DET_SECRET_PRIVATE_KEY] = "secret_private_key",
};

const char *detector_name(enum detector d)
{
	return d > 0 && d < DET_MAX_ ? detectors[d] : NULL;
}

enum detector detector_from(str name)
{
	for (unsigned d = 1; d < DET_MAX_; d++)
		if (str_eq(name, str_c(detectors[d])))
			return (enum detector)d;
	return 0;
}
