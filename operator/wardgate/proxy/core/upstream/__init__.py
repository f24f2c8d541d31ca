"""The address that is dialled and the certificate that answers: may it be this one?"""
