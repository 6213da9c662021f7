namespace Voice.Protocol.Stun;

/// <summary>RFC 8489 section 5.</summary>
public enum StunClass
{
    Request = 0b00,
    Indication = 0b01,
    SuccessResponse = 0b10,
    ErrorResponse = 0b11,
}

public enum StunMethod
{
    Binding = 1,
}

/// <summary>RFC 8489 section 18.3, RFC 8445 section 16.1. A receiver that does not know a type below 0x8000 refuses the request.</summary>
public enum StunAttribute : ushort
{
    MappedAddress = 0x0001,
    Username = 0x0006,
    MessageIntegrity = 0x0008,
    ErrorCode = 0x0009,
    UnknownAttributes = 0x000A,
    XorMappedAddress = 0x0020,
    Priority = 0x0024,
    UseCandidate = 0x0025,
    Software = 0x8022,
    Fingerprint = 0x8028,
    IceControlled = 0x8029,
    IceControlling = 0x802A,
}

/// <summary>RFC 8489 section 14.8, RFC 8445 section 16.2.</summary>
public enum StunError
{
    BadRequest = 400,
    Unauthenticated = 401,
    UnknownAttribute = 420,
    RoleConflict = 487,
}
